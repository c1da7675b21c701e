/** Thrown when a command cannot go on for a reason the reader can act on; shown without a stack. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** Their sentences are written for whoever runs the command, and name variables, never values. */
const EXPECTED: readonly string[] = ['CommandError', 'ConfigError', 'PromptsError', 'SecretsError'];

/** Runs a command to its end and sets the exit code; an expected error is shown as one sentence. */
export async function runCommand(main: () => Promise<number | void>): Promise<void> {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    const isExpected = error instanceof Error && (EXPECTED.includes(error.name) || isUsage(error));
    process.stderr.write(`${isExpected ? error.message : error instanceof Error ? error.stack : String(error)}\n`);
    process.exitCode = 1;
  }
}

/** An option that a command does not know, or one without its value: Node's own sentence says which. */
function isUsage(error: Error): boolean {
  return 'code' in error && typeof error.code === 'string' && error.code.startsWith('ERR_PARSE_ARGS_');
}
