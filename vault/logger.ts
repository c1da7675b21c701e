/**
 * The logger. Two walls keep personal data out of log lines: only listed fields and constant messages go in
 * (log-fields.ts), and the finished line is scanned (redaction.ts). pino's own `redact` was tried and leaks: it
 * misses numbers in messages, in errors, in deep objects and in bindings.
 */
import { type DestinationStream, type Logger as PinoLogger, pino, stdTimeFunctions } from 'pino';
import { allowedFields, type LogFields } from './log-fields';
import { scrub } from './redaction';

/** A constant text: a template or a computed string does not compile, so no value can slip into a message. */
type StaticText<T extends string> = {} extends Record<T, unknown> ? never : T;
type LogLine = <T extends string>(fields: LogFields, message: StaticText<T>) => void;

export interface Logger {
  readonly debug: LogLine;
  readonly info: LogLine;
  readonly warn: LogLine;
  readonly error: LogLine;
  readonly fatal: LogLine;
  /** A logger whose lines all carry these fields; they pass the same list. */
  child(fields: LogFields): Logger;
  /** How many lines the net below had to change; anything but 0 is a bug to be found. */
  scrubbedLines(): number;
}

export interface LoggerOptions {
  /** The process, e.g. `api`. */
  readonly name: string;
  /** A level of pino, or `silent`. */
  readonly level: string;
  /** Where lines go; stdout unless told. */
  readonly destination?: DestinationStream;
}

/** One JSON object a line: level as a word, ISO time (an epoch would look like a phone number to the net). */
export function createLogger({ name, level, destination }: LoggerOptions): Logger {
  let scrubbedLines = 0;
  const streamWrite = (line: string): string => {
    const result = scrub(line);
    if (result.found) scrubbedLines += 1;
    return result.line;
  };
  const options = {
    level,
    base: { name },
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    hooks: { streamWrite },
  };
  const root = destination === undefined ? pino(options) : pino(options, destination);
  return wrap(root, () => scrubbedLines);
}

function wrap(target: PinoLogger, scrubbedLines: () => number): Logger {
  const at =
    (method: 'debug' | 'info' | 'warn' | 'error' | 'fatal'): LogLine =>
    (fields, message) => {
      if (target.isLevelEnabled(method)) target[method](allowedFields(fields), message);
    };
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    fatal: at('fatal'),
    child: (fields) => wrap(target.child(allowedFields(fields)), scrubbedLines),
    scrubbedLines,
  };
}
