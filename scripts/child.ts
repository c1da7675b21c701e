import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { CommandError } from './command-error';

/** How to run one part as a child process. */
export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child: nothing is inherited that is not named here. */
  readonly env: NodeJS.ProcessEnv;
  /** stdout and stderr go here, one run after the other. */
  readonly logFile: string;
  /** Resolves true once the child can do its work. Asked again and again until then. */
  readonly isReady: (log: string) => boolean | Promise<boolean>;
  readonly readyWithinMs: number;
  /** What asks it to end in good order; SIGTERM unless named. */
  readonly stopSignal?: NodeJS.Signals;
  readonly cwd?: string;
  readonly uid?: number;
  readonly gid?: number;
}

/** After this the polite signal is followed by SIGKILL. */
const STOP_PATIENCE_MS = 15_000;

/**
 * A child process that is watched: its death is either asked for or reported.
 *
 * A SIGKILL from outside is what the kill test does, so `restart` makes no assumption about how the last run ended.
 */
export class Child {
  private process: ChildProcess | null = null;
  private ended: Promise<void> = Promise.resolve();
  private isDeathExpected = false;
  private logStart = 0;

  constructor(
    private readonly spec: ChildSpec,
    private readonly onDeath: (name: string, how: string) => void = () => undefined,
  ) {}

  get name(): string {
    return this.spec.name;
  }

  get pid(): number | null {
    return this.isRunning() ? (this.process?.pid ?? null) : null;
  }

  isRunning(): boolean {
    return this.process !== null && this.process.exitCode === null && this.process.signalCode === null;
  }

  /** Starts the process and waits until it is ready. @throws CommandError with the end of its log */
  async start(): Promise<void> {
    if (this.isRunning()) return;
    this.spawn();
    const deadline = Date.now() + this.spec.readyWithinMs;
    while (!(await this.isReady())) {
      if (!this.isRunning() || Date.now() > deadline) {
        const why = this.isRunning() ? `is not ready after ${this.spec.readyWithinMs / 1000} s` : 'ended at once';
        await this.stop();
        throw new CommandError(`${this.name} ${why}. Its log, ${this.spec.logFile}, ends:\n${lastLines(this.log())}`);
      }
      await delay(25);
    }
  }

  /** Sends a signal without waiting; the death that may follow is expected. */
  kill(signal: NodeJS.Signals): void {
    // SIGSTOP and SIGCONT end nothing: a death after them is news.
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') this.isDeathExpected = true;
    this.process?.kill(signal);
  }

  /** Resolves when the process is gone. */
  async waitForEnd(): Promise<void> {
    await this.ended;
  }

  async stop(): Promise<void> {
    if (!this.isRunning()) return;
    this.kill('SIGCONT');
    this.kill(this.spec.stopSignal ?? 'SIGTERM');
    const abort = new AbortController();
    const patience = delay(STOP_PATIENCE_MS, 'late' as const, { signal: abort.signal }).catch(() => 'ended' as const);
    if ((await Promise.race([this.ended, patience])) === 'late') this.process?.kill('SIGKILL');
    abort.abort();
    await this.ended;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** What this run has written so far. */
  log(): string {
    const file = openSync(this.spec.logFile, 'r');
    try {
      // From there on: what earlier runs have written may be long, and a start is asked for forty times a second.
      const text = Buffer.alloc(Math.max(0, fstatSync(file).size - this.logStart));
      return text.toString('utf8', 0, readSync(file, text, 0, text.length, this.logStart));
    } finally {
      closeSync(file);
    }
  }

  private async isReady(): Promise<boolean> {
    try {
      return this.isRunning() && (await this.spec.isReady(this.log()));
    } catch {
      return false;
    }
  }

  private spawn(): void {
    const { spec } = this;
    const output = openSync(spec.logFile, 'a');
    this.logStart = statSync(spec.logFile).size;
    this.isDeathExpected = false;
    const child = spawn(spec.command, spec.args, {
      env: spec.env,
      stdio: ['ignore', output, output],
      // A group of its own: Ctrl-C in the terminal reaches only us, and we end the parts in order.
      detached: true,
      ...(spec.cwd === undefined ? {} : { cwd: spec.cwd }),
      ...(spec.uid === undefined ? {} : { uid: spec.uid }),
      ...(spec.gid === undefined ? {} : { gid: spec.gid }),
    });
    closeSync(output);
    this.process = child;
    this.ended = new Promise((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', (code, signal) => {
        if (!this.isDeathExpected) this.onDeath(spec.name, signal ?? `exit code ${code}`);
        resolve();
      });
    });
  }
}

/** The last lines of a log, short enough for a message. */
export function lastLines(log: string, count = 25): string {
  return log.trimEnd().split('\n').slice(-count).join('\n');
}
