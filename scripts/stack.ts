import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { migrate } from '../db/migrate';
import { bothOrNone } from './both-or-none';
import type { Child } from './child';
import { CommandError } from './command-error';
import { endLeftovers, PidFile, runningStarter } from './leftovers';
import { localSecrets } from './local-secrets';
import { APP_ROLE, LocalPostgres, WORKER_ROLE } from './postgres';
import { progress } from './project';
import { codecUrl, type ServiceName, Services } from './services';
import { prepareNamespace, temporalChild } from './temporal-server';

export type PartName = ServiceName | 'postgres' | 'temporal';

export interface StackOptions {
  readonly stateDir: string;
  readonly ports: StackPorts;
  /** Whether data must survive a machine that loses power. */
  readonly durable: boolean;
  /** Parts that are there already and are used instead of our own. */
  readonly real?: {
    readonly database?: { readonly appUrl: string; readonly workerUrl: string; readonly ownerUrl: string };
    readonly temporal?: { readonly address: string; readonly namespace: string };
  };
  /** Settings of the services beyond what the parts bring. */
  readonly env?: NodeJS.ProcessEnv;
  /** True: says nothing about its steps. */
  readonly isQuiet?: boolean;
  /** The Web UI of a Temporal that is not ours. */
  readonly temporalUiUrl?: string | null;
  /** Ends what is being started. */
  readonly cancel?: AbortSignal;
  readonly onDeath?: (name: string, how: string) => void;
}

export interface StackPorts {
  readonly api: number;
  readonly simulator: number;
  /** Where the simulator takes mail; null or left out: nowhere. */
  readonly smtp?: number | null;
  readonly postgres: number;
  readonly temporal: number;
  readonly temporalHttp: number;
  readonly temporalUi: number | null;
  /** Of the server that decodes for the Web UI; null or left out: none. */
  readonly codec?: number | null;
}

/** The name of the database that a stack brings. */
export const DATABASE = 'kindline';

/** Everything on one machine: Postgres, Temporal, the simulator, the API and a worker, started and ended in order. */
export class Stack {
  private postgres: LocalPostgres | null = null;
  private temporal: Child | null = null;
  private running: Services | null = null;
  private readonly pids: PidFile;
  private isStopping = false;

  private constructor(readonly options: StackOptions) {
    this.pids = new PidFile(options.stateDir);
  }

  /**
   * @throws CommandError when a part does not come up, or another stack runs over the same state directory;
   * or it was cancelled; what was started by then is ended again
   */
  static async start(options: StackOptions): Promise<Stack> {
    mkdirSync(join(options.stateDir, 'logs'), { recursive: true });
    const stack = new Stack(options);
    await stack.clearLeftovers();
    const cancel = () => void stack.stop();
    options.cancel?.addEventListener('abort', cancel);
    try {
      await stack.startParts();
      stack.refuseWhenCancelled();
    } catch (error) {
      await stack.stop();
      stack.refuseWhenCancelled();
      throw error;
    } finally {
      options.cancel?.removeEventListener('abort', cancel);
    }
    return stack;
  }

  get services(): Services {
    if (this.running === null) throw new Error('the stack is not started');
    return this.running;
  }

  /** What a caller needs to look into the database as its owner; null when it is not ours. */
  get database(): { ownerUrl: string; superuserUrl: string; dataDir: string } | null {
    if (this.postgres === null) return null;
    const { dataDir } = this.postgres;
    return { ownerUrl: this.postgres.ownerUrl(DATABASE), superuserUrl: this.postgres.superuserUrl(DATABASE), dataDir };
  }

  get temporalAddress(): { address: string; namespace: string } {
    return this.options.real?.temporal ?? { address: `127.0.0.1:${this.options.ports.temporal}`, namespace: 'default' };
  }

  /** Null when there is none. */
  get temporalUiUrl(): string | null {
    const { ports, temporalUiUrl } = this.options;
    return ports.temporalUi === null ? (temporalUiUrl ?? null) : `http://127.0.0.1:${ports.temporalUi}`;
  }

  get logDir(): string {
    return join(this.options.stateDir, 'logs');
  }

  kill(name: PartName, signal: NodeJS.Signals): void {
    this.part(name).kill(signal);
  }

  async restart(name: PartName): Promise<void> {
    await this.part(name).restart();
    this.writePids();
  }

  /** Ends every part, those that use before those that are used. May be called twice. */
  async stop(): Promise<void> {
    this.isStopping = true;
    await this.running?.stop();
    await this.temporal?.stop();
    await this.postgres?.stop();
    this.pids.remove();
  }

  private async startParts(): Promise<void> {
    const { options, logDir } = this;
    const { stateDir, ports, real } = options;
    const secrets = localSecrets(stateDir);
    const onDeath = (name: string, how: string) => {
      if (!this.isStopping) options.onDeath?.(name, how);
    };

    const [database] = await bothOrNone(
      real?.database ?? this.startPostgres(secrets.databasePassword, onDeath),
      real?.temporal === undefined ? this.startTemporal(onDeath) : undefined,
    );
    this.refuseWhenCancelled();
    const temporal = this.temporalAddress;
    if (real?.temporal === undefined) await prepareNamespace(temporal.address, temporal.namespace);

    this.refuseWhenCancelled();
    this.say('Starting the simulated phones, the API and a worker …');
    const env = options.env ?? {};
    const { temporalUiUrl } = this;
    this.running = new Services({ stateDir, logDir, secrets, database, temporal, ports, temporalUiUrl, env, onDeath });
    await this.running.start();
    this.writePids();
  }

  private async startPostgres(password: string, onDeath: (name: string, how: string) => void) {
    this.say('Starting Postgres …');
    const { stateDir, ports, durable } = this.options;
    this.postgres = await LocalPostgres.start({
      stateDir,
      logDir: this.logDir,
      port: ports.postgres,
      password,
      durable,
      onDeath,
    });
    this.writePids();
    this.refuseWhenCancelled();
    await this.postgres.ensureDatabase(DATABASE);
    const ownerUrl = this.postgres.ownerUrl(DATABASE);
    const done = await migrate(ownerUrl, {
      direction: 'up',
      appRole: { name: APP_ROLE, password },
      workerRole: { name: WORKER_ROLE, password },
    });
    if (done.length > 0) this.say(`Migrated the database (${done.length} steps).`);
    return { ownerUrl, appUrl: this.postgres.appUrl(DATABASE), workerUrl: this.postgres.workerUrl(DATABASE) };
  }

  private async startTemporal(onDeath: (name: string, how: string) => void): Promise<void> {
    const { stateDir, ports } = this.options;
    const { temporal: port, temporalHttp: httpPort, temporalUi: uiPort } = ports;
    this.temporal = await temporalChild({
      stateDir,
      logDir: this.logDir,
      port,
      httpPort,
      uiPort,
      codecUrl: codecUrl(ports.codec),
      onDeath,
    });
    this.refuseWhenCancelled();
    this.say('Starting Temporal …');
    await this.temporal.start();
    this.writePids();
  }

  private refuseWhenCancelled(): void {
    if (this.options.cancel?.aborted === true) throw new CommandError('It was ended before everything was up.');
  }

  private say(line: string): void {
    if (this.options.isQuiet !== true) progress(line);
  }

  private part(name: PartName): Pick<Child, 'kill' | 'restart'> {
    const part = name === 'postgres' ? this.postgres : name === 'temporal' ? this.temporal : this.services.child(name);
    if (part === null) throw new Error(`${name} is not ours to kill or restart`);
    return part;
  }

  /** Ends what an earlier start left behind when it was killed; refuses while that start still runs. */
  private async clearLeftovers(): Promise<void> {
    const starter = runningStarter(this.options.stateDir);
    if (starter !== null && starter !== process.pid) {
      throw new CommandError(`It is already running here, as process ${starter}. Stop that one first.`);
    }
    await endLeftovers(this.options.stateDir);
    this.writePids();
  }

  private writePids(): void {
    this.pids.write([
      { name: 'starter', pid: process.pid },
      { name: 'postgres', pid: this.postgres?.pid ?? null },
      { name: 'temporal', pid: this.temporal?.pid ?? null },
      ...(this.running?.pids() ?? []),
    ]);
  }
}
