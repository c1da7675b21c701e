/**
 * `npm start`: the whole service on this machine, staying up, with demo data and a page of simulated phones.
 * Data is kept in `.kindline/`, so that the next start finds it. Ctrl-C ends every part.
 *
 * A part that is configured in the environment or in `.env` is used instead of our own, and is named.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { VARIABLE_NAMES } from '../config/config';
import { openSecrets } from '../providers/secrets';
import { CommandError, runCommand } from './command-error';
import { DemoApp, DEMO_MENTORS, USER_PHONE } from './demo-call';
import { loadDotEnv } from './dot-env';
import { choosePort, freePort, portFrom } from './ports';
import { realParts, type RealParts } from './real-parts';
import { type Addresses, forgetAddresses, noteAddresses, START_DIR } from './running-stack';
import { Stack, type StackPorts } from './stack';
import { stopSignal } from './stop-signal';

async function main(): Promise<void> {
  const asked = stopSignal();
  loadDotEnv();
  mkdirSync(START_DIR, { recursive: true });
  const secrets = await openSecrets(process.env, VARIABLE_NAMES);
  const real = realParts(secrets.env);
  let noteDeath: (how: string) => void = () => undefined;
  const died = new Promise<string>((resolve) => {
    noteDeath = resolve;
  });
  const ports = await choosePorts(real);
  const stack = await Stack.start({
    stateDir: START_DIR,
    ports,
    durable: true,
    real: real.parts,
    cancel: asked,
    temporalUiUrl: uiOfRealTemporal(),
    // Whoever tries the service out asks more often than a person in need would be allowed to.
    env: {
      ...(real.isTwilio ? {} : GENEROUS),
      // What the phones and the mailbox show, and whom "Twilio" blocks, is data too.
      SIMULATOR_CALLS_FILE: join(START_DIR, 'simulator.json'),
      ...real.env,
    },
    onDeath: (name, how) => noteDeath(`${name} ended by itself (${how}); its log is in ${START_DIR}/logs.`),
  });
  let death: string | null = null;
  try {
    if (!real.isTwilio) await addDemoData(stack);
    const { services } = stack;
    const addresses = {
      api: services.apiUrl,
      simulator: services.simulatorUrl,
      smtpPort: ports.smtp ?? null,
      temporalUi: stack.temporalUiUrl,
      codec: services.codecUrl,
      temporal: stack.temporalAddress,
      postgresPort: real.parts.database === undefined ? ports.postgres : null,
    };
    noteAddresses(addresses);
    process.stdout.write(readyText(addresses, real));
    death = await Promise.race([aborted(asked), died]);
  } finally {
    process.stderr.write('Stopping …\n');
    forgetAddresses();
    await stack.stop();
  }
  if (death !== null) throw new CommandError(death);
}

/** With simulated phones nobody is harassed by many requests. */
const GENEROUS = {
  REQUESTS_PER_USER_PER_HOUR: '1000',
  REQUESTS_PER_TARGET_PER_HOUR: '1000',
  RECIPIENT_LIMITS: '1000/1m',
  RECIPIENT_LIMITS_SAFETY: '1000/1m',
} as const;

async function choosePorts(real: RealParts): Promise<StackPorts> {
  const { env } = process;
  const port = (part: string, preferred: number, variable: string | null) => {
    const chosen = variable === null ? '' : (env[variable]?.trim() ?? '');
    if (variable === null || chosen === '') return choosePort(part, preferred, null);
    const number = portFrom(chosen);
    if (number === null) throw new CommandError(`${variable}: expected a port from 1 to 65535`);
    return choosePort(part, number, variable);
  };
  return {
    api: await port('the API', 3000, 'PORT'),
    simulator: await port('the simulated phones', 8055, 'SIMULATOR_PORT'),
    smtp: await port('the simulated mailbox', 2525, 'SIMULATOR_SMTP_PORT'),
    postgres: await port('Postgres', 54_320, null),
    temporal: await port('Temporal', 7233, null),
    temporalHttp: await freePort(),
    temporalUi: real.parts.temporal === undefined ? await port('the Temporal Web UI', 8233, null) : null,
    codec:
      real.parts.temporal === undefined || uiOfRealTemporal() !== null
        ? await port('the codec server', 3001, 'CODEC_PORT')
        : null,
  };
}

/** Where the Web UI of a Temporal that is not ours is found, if anybody has said so. */
function uiOfRealTemporal(): string | null {
  return process.env.TEMPORAL_UI_URL?.trim() || null;
}

/** Mentors and phones to play with; what is already there is left alone. */
async function addDemoData(stack: Stack): Promise<void> {
  const app = new DemoApp(stack.services);
  if (!(await app.hasMentors())) {
    for (const { name, phone, languages } of DEMO_MENTORS) await app.addMentor(name, phone, languages);
  }
  await app.simulator.addHandset(USER_PHONE, 'You');
  for (const { name, phone } of DEMO_MENTORS) await app.simulator.addHandset(phone, `Mentor ${name.split(' ')[0]}`);
}

function readyText(addresses: Addresses, real: RealParts): string {
  return [
    '',
    'Kindline is running. Everything begins at',
    '',
    `  ${addresses.api}/`,
    '',
    `  API               ${addresses.api}`,
    `  Documentation     ${addresses.api}/docs`,
    `  Simulated phones  ${addresses.simulator}/`,
    `  Simulated mails   ${addresses.simulator}/mailbox`,
    ...(addresses.temporalUi === null ? [] : [`  Temporal Web UI   ${addresses.temporalUi}`]),
    ...(addresses.codec === null ? [] : [`  Codec server      ${addresses.codec}  (decodes for the Web UI)`]),
    '',
    ...real.lines,
    '',
    'Ctrl-C ends it; the next start finds its data again.',
    '',
    '',
  ].join('\n');
}

function aborted(asked: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    asked.addEventListener('abort', () => resolve(null));
    if (asked.aborted) resolve(null);
  });
}

void runCommand(main);
