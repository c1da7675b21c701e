import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openPrompts } from '../providers/prompts-file';
import { Child } from './child';
import { writeFallbackDocuments } from './fallback-documents';
import { type LocalSecrets, localVoiceApp } from './local-secrets';
import { built, PROJECT_ROOT } from './project';

export type ServiceName = 'simulator' | 'api' | 'worker' | 'codec';

/** Where the services find each other and what they stand on. */
export interface ServiceOptions {
  readonly stateDir: string;
  readonly logDir: string;
  readonly secrets: LocalSecrets;
  readonly database: { readonly appUrl: string; readonly workerUrl: string; readonly ownerUrl: string };
  readonly temporal: { readonly address: string; readonly namespace: string };
  readonly ports: {
    readonly api: number;
    readonly simulator: number;
    /** Where the simulator takes mail; null or left out: nowhere. */
    readonly smtp?: number | null;
    /** Null or left out: no codec server, because no Web UI wants one. */
    readonly codec?: number | null;
  };
  /** The Web UI that the start page links and the codec server answers. */
  readonly temporalUiUrl?: string | null;
  /** Wins over everything that stands here: settings of a test, or the real parts of `npm start`. */
  readonly env?: NodeJS.ProcessEnv;
  readonly onDeath?: (name: string, how: string) => void;
}

/** Numbers of ours in the simulator: two in the United States, one in the United Kingdom; none can be a person's. */
export const ORGANISATION_NUMBERS = ['+14155550100', '+14155550101', '+447700900100'] as const;

/** The simulator's own topic, written here as well: what looks at a deployment must load nothing of the simulator. */
const LOCAL_SNS_TOPIC = 'arn:aws:sns:eu-west-1:000000000000:kindline-mail';

/** What each service waits to see in its own log. */
const READY: Readonly<Record<ServiceName, string>> = {
  simulator: '"msg":"simulator ready"',
  api: '"msg":"api ready"',
  worker: '"msg":"worker ready"',
  codec: '"msg":"codec ready"',
};
const ENTRY: Readonly<Record<ServiceName, string>> = {
  simulator: 'simulator/main.js',
  api: 'api/main.js',
  worker: 'workers/main.js',
  codec: 'api/codec-main.js',
};

/** The simulator, the API, the worker and perhaps the codec server as child processes: the same entry points as in production. */
export class Services {
  /** What every service is started with. */
  readonly environment: NodeJS.ProcessEnv;
  private readonly children: ReadonlyMap<ServiceName, Child>;

  constructor(readonly options: ServiceOptions) {
    mkdirSync(options.logDir, { recursive: true });
    this.environment = serviceEnvironment(options);
    const names: ServiceName[] = [
      'simulator',
      'api',
      'worker',
      ...(options.ports.codec == null ? [] : ['codec' as const]),
    ];
    this.children = new Map(names.map((name) => [name, serviceChild(name, options, this.environment)]));
  }

  get apiUrl(): string {
    return `http://127.0.0.1:${this.options.ports.api}`;
  }

  get simulatorUrl(): string {
    return `http://127.0.0.1:${this.options.ports.simulator}`;
  }

  /** Null when there is none. */
  get codecUrl(): string | null {
    return codecUrl(this.options.ports.codec);
  }

  /** The simulator first: it is also the issuer whose keys the API asks for. */
  async start(): Promise<void> {
    // The simulator serves them, as a static host does in production.
    const promptsOf = openPrompts(this.environment['PROMPTS_FILE'] || null);
    writeFallbackDocuments(join(this.options.stateDir, 'fallback'), ORGANISATION_NUMBERS, null, promptsOf);
    await this.child('simulator').start();
    const after = [...this.children.values()].filter(({ name }) => name !== 'simulator');
    const others = await Promise.allSettled(after.map((child) => child.start()));
    for (const result of others) if (result.status === 'rejected') throw result.reason;
  }

  /** In reverse: nobody is asked anything that is already gone. */
  async stop(): Promise<void> {
    await this.children.get('codec')?.stop();
    await this.child('api').stop();
    await this.child('worker').stop();
    await this.child('simulator').stop();
  }

  kill(name: ServiceName, signal: NodeJS.Signals): void {
    this.child(name).kill(signal);
  }

  async restart(name: ServiceName): Promise<void> {
    await this.child(name).restart();
  }

  child(name: ServiceName): Child {
    const child = this.children.get(name);
    if (child === undefined) throw new Error(`there is no service ${name}`);
    return child;
  }

  pids(): { name: string; pid: number | null }[] {
    return [...this.children.values()].map((child) => ({ name: child.name, pid: child.pid }));
  }
}

/** Where the Web UI finds the codec server on this machine. */
export function codecUrl(port: number | null | undefined): string | null {
  return port == null ? null : `http://127.0.0.1:${port}`;
}

function serviceChild(name: ServiceName, options: ServiceOptions, env: NodeJS.ProcessEnv): Child {
  return new Child(
    {
      name,
      command: process.execPath,
      args: [built(ENTRY[name])],
      // Only the worker may write the audit chain, and so only it gets the role that can.
      env: {
        NODE_OPTIONS: '--enable-source-maps',
        ...env,
        ...(name === 'worker' ? { DATABASE_URL: options.database.workerUrl } : {}),
      },
      logFile: join(options.logDir, `${name}.log`),
      isReady: (log) => log.includes(READY[name]),
      readyWithinMs: 60_000,
      cwd: PROJECT_ROOT,
    },
    options.onDeath,
  );
}

/** The whole environment of the services: of ours, only what a process needs to run at all is passed on. */
export function serviceEnvironment(options: Omit<ServiceOptions, 'logDir'>): NodeJS.ProcessEnv {
  const { stateDir, secrets, database, temporal, ports } = options;
  const api = `http://127.0.0.1:${ports.api}`;
  const simulator = `http://127.0.0.1:${ports.simulator}`;
  const app = localVoiceApp(secrets);
  return {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TZ: 'UTC',
    NODE_ENV: 'development',
    PORT: String(ports.api),
    PUBLIC_BASE_URL: api,
    DATABASE_URL: database.appUrl,
    DATABASE_MIGRATION_URL: database.ownerUrl,
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    ...(options.temporalUiUrl == null ? {} : { TEMPORAL_UI_URL: options.temporalUiUrl }),
    ...(ports.codec == null ? {} : { CODEC_PORT: String(ports.codec), CODEC_PUBLIC_URL: codecUrl(ports.codec) ?? '' }),
    TWILIO_ACCOUNT_SID: secrets.twilioAccountSid,
    TWILIO_AUTH_TOKEN: secrets.twilioAuthToken,
    TWILIO_API_KEY: app.apiKey,
    TWILIO_API_SECRET: app.apiSecret,
    TWIML_APP_SID: app.twimlAppSid,
    TWILIO_PHONE_NUMBER: ORGANISATION_NUMBERS.join(','),
    TWILIO_API_BASE_URL: simulator,
    TWILIO_WEBHOOK_BASE_URL: api,
    TWILIO_CALLS_PER_SECOND: '20',
    TWILIO_MESSAGES_PER_SECOND: '100',
    VOICE_FALLBACK_URL: `${simulator}/fallback/{country}.xml`,
    OIDC_ISSUER: `${simulator}/oidc`,
    OIDC_CLIENT_ID: 'kindline-pages',
    PRIVACY_POLICY_URL: `${simulator}/privacy`,
    LOCAL_KEY_FILE: join(stateDir, 'root-key.json'),
    AUDIT_CHECKPOINT_DIR: join(stateDir, 'checkpoints'),
    SIMULATOR_PORT: String(ports.simulator),
    SIMULATOR_STATE_DIR: stateDir,
    ...(ports.smtp == null ? {} : mailTo(ports.smtp, simulator)),
    ...options.env,
  };
}

/** Every mail goes to the simulator's mailbox, and what becomes of it is told by the simulator's SNS. */
function mailTo(smtpPort: number, simulator: string): NodeJS.ProcessEnv {
  return {
    SIMULATOR_SMTP_PORT: String(smtpPort),
    MAIL_SMTP_URL: `smtp://127.0.0.1:${smtpPort}`,
    MAIL_FROM: 'Kindline <no-reply@kindline.example>',
    MAIL_EVENTS_TOPIC: LOCAL_SNS_TOPIC,
    MAIL_EVENTS_STAND_IN: simulator,
  };
}
