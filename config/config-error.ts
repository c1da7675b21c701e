/** One thing that is wrong with the environment. Never holds the value: it may be a secret or a phone number. */
export interface ConfigProblem {
  readonly variable: string;
  /** Completes the sentence "NAME: expected …". */
  readonly expected: string;
}

/** Thrown when the environment cannot be used; lists everything that is wrong, so that one start shows all of it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(readonly problems: readonly ConfigProblem[]) {
    super(`Configuration:\n${problems.map((p) => `  ${p.variable}: expected ${p.expected}`).join('\n')}`);
  }
}
