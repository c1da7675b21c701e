import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { createAppTokens } from './app-tokens';
import { readHelplines } from './fallback-documents';
import { createIssuer } from './issuer';
import { createPagesRouter } from './pages';
import { readSimulatorEnvironment } from './environment';
import { startSimulator } from './server';

/** Composition root: `node dist/simulator/main.js`, configured by the environment (docs/simulator.md). */
async function main(): Promise<void> {
  const env = readSimulatorEnvironment(process.env);
  if (env.stateDir !== null) mkdirSync(env.stateDir, { recursive: true });
  const helplines = [...env.helplines, ...(env.fallbackDir === null ? [] : readHelplines(env.fallbackDir))];
  const simulator = await startSimulator({
    ...env.server,
    ...(env.fallbackDir === null ? {} : { fallbackDir: env.fallbackDir }),
    ...(env.callsFile === null ? {} : { callsFile: env.callsFile }),
    helplines,
    mount: async (url, { mailbox }) => {
      const stateFile = env.stateDir === null ? null : join(env.stateDir, 'issuer-key.json');
      const issuer = await createIssuer({ publicUrl: url, audience: env.audience, stateFile });
      const organisationNumbers = env.server.numbers.map((own) => own.number);
      const page = () => ({ organisationNumbers, startPage: env.startPage });
      const appTokens = createAppTokens(env.startPage, issuer.sign);
      return [issuer.router, appTokens, createPagesRouter({ page, mailbox })];
    },
  });
  say({ msg: 'simulator ready', port: simulator.port, smtpPort: simulator.smtpPort, url: simulator.url });

  let isStopping = false;
  const stop = () => {
    if (isStopping) return;
    isStopping = true;
    void simulator.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

/** One JSON line on stdout, for whoever started this process. */
function say(line: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
}

main().catch((error: unknown) => {
  say({ level: 'fatal', msg: error instanceof Error ? error.message : 'the simulator could not start' });
  process.exit(1);
});
