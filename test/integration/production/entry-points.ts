/**
 * The processes of `docker-compose.yml`, started by hand: each with its own command, the variables it is given there
 * and its secrets as files, on compiled files laid out as in the image.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { compose, ROOT } from './compose-file';

const { services } = compose();

/** Compiled files without the simulator, with the bundle; Node finds the project's packages above them. */
export function makeImage(): string {
  const parent = join(ROOT, '.kindline', 'images');
  mkdirSync(parent, { recursive: true });
  const image = mkdtempSync(join(parent, 'image-'));
  cpSync(join(ROOT, 'dist'), join(image, 'dist'), {
    recursive: true,
    filter: (path) => !/\/dist\/(simulator|workflow-bundle\.js.*)$/.test(path),
  });
  return image;
}

export interface Settings {
  /** Added to the variables that Compose gives; undefined takes one away. */
  readonly env?: NodeJS.ProcessEnv;
  /** Contents of the files, by the names that secrets have in the compose file. */
  readonly secrets: NodeJS.ProcessEnv;
  /** A directory for the files and whatever the process writes. */
  readonly dir: string;
  readonly logFile?: string;
  /** Run instead of the service's own. */
  readonly command?: readonly string[];
}

/** A process of production and all it has said. */
export class EntryPoint {
  output = '';
  private readonly child: ChildProcess;
  /** The exit code; null when a signal ended it. */
  readonly ended: Promise<number | null>;

  constructor(image: string, service: string, { env = {}, secrets, dir, logFile, command: own }: Settings) {
    const [command = '', ...args] = own ?? services[service]?.command ?? [];
    this.child = spawn(command, args, {
      cwd: image,
      env: environmentOf(service, { env, secrets, dir }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.child.stdout, this.child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        if (logFile !== undefined) writeFileSync(logFile, text, { flag: 'a' });
      });
    }
    this.ended = new Promise((resolve) => {
      this.child.once('error', () => resolve(-1));
      this.child.once('close', (code) => resolve(code));
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Parsed lines of the log. */
  lines(): Record<string, unknown>[] {
    return this.output.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
  }

  line(message: string): Record<string, unknown> {
    const found = this.lines().find(({ msg }) => msg === message);
    if (found === undefined) throw new Error(`it has not said "${message}", but: ${this.output.slice(-2_000)}`);
    return found;
  }

  /** @returns its exit code @throws Error when it still runs after that time */
  async endedWithin(ms: number): Promise<number | null> {
    const abort = new AbortController();
    const late = new Promise<never>((_resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`it still runs, after: ${this.output.slice(-2_000)}`)), ms);
      abort.signal.addEventListener('abort', () => clearTimeout(timer));
    });
    try {
      return await Promise.race([this.ended, late]);
    } finally {
      abort.abort();
      this.kill('SIGKILL');
    }
  }
}

/** What a service is given: the variables of the compose file, and its secrets as files. */
export function environmentOf(
  service: string,
  { env = {}, secrets, dir }: Pick<Settings, 'env' | 'secrets' | 'dir'>,
): NodeJS.ProcessEnv {
  const files = join(mkdtempSync(join(dir, `${service}-`)), 'secrets');
  mkdirSync(files);
  for (const { source, target } of services[service]?.secrets ?? []) {
    const value = secrets[source];
    if (value !== undefined) writeFileSync(join(files, target), `${value}\n`, { mode: 0o400 });
  }
  const given = Object.entries(services[service]?.environment ?? {}).filter(([, value]) => value !== null);
  const set = {
    PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
    HOME: dir,
    ...Object.fromEntries(given),
    SECRETS_SOURCE: `file:${files}`,
    AWS_SHARED_CREDENTIALS_FILE: join(files, 'aws_credentials'),
    ...env,
  };
  const isSet = ([, value]: [string, string | null | undefined]) => value !== undefined;
  return Object.fromEntries(Object.entries(set).filter(isSet)) as NodeJS.ProcessEnv;
}

/** @returns the names of the secrets that a service reads as this variable */
export function sourcesOf(service: string, variable: string): string[] {
  const secrets = services[service]?.secrets ?? [];
  return secrets.filter(({ target }) => target === variable).map(({ source }) => source);
}

export function removeImage(image: string): void {
  rmSync(image, { recursive: true, force: true });
}
