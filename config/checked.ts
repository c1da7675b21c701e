import type { z } from 'zod';
import { ConfigError, type ConfigProblem } from './config-error';

/** Without these no process starts, so they have no default to be judged by. */
type RequiredName = 'DATABASE_URL' | 'TWILIO_ACCOUNT_SID' | 'TWILIO_AUTH_TOKEN' | 'TWILIO_PHONE_NUMBER' | 'OIDC_ISSUER';

/** Variables as they are judged together: one that is malformed counts as not set. */
export type Judged<V> = Omit<V, RequiredName> & Partial<Pick<V, RequiredName & keyof V>>;

/**
 * Reads the environment and judges it, in one go: whoever mends what was named should not be told of more. Each
 * variable is named once, with the first thing that is wrong with it.
 *
 * @param judge finds what is wrong with variables that are each well-formed
 * @throws ConfigError naming every wrong variable and what it expects, never a value
 */
export function checked<S extends z.ZodObject>(
  schema: S,
  env: NodeJS.ProcessEnv,
  judge: (variables: Judged<z.output<S>>) => readonly ConfigProblem[],
): z.output<S> {
  const read = schema.safeParse(env);
  const malformed = (read.error?.issues ?? []).map((i) => ({ variable: i.path.join('.'), expected: i.message }));
  const problems = [...malformed, ...judge(asFarAsReadable(schema, env))];
  const first = new Map(problems.toReversed().map((problem) => [problem.variable, problem]));
  if (!read.success || problems.length > 0) throw new ConfigError(problems.filter((p) => first.get(p.variable) === p));
  return read.data;
}

function asFarAsReadable<S extends z.ZodObject>(schema: S, env: NodeJS.ProcessEnv): Judged<z.output<S>> {
  const values = Object.entries(schema.shape).map(([name, variable]: [string, z.ZodType]) => {
    const read = variable.safeParse(env[name]);
    return [name, read.success ? read.data : variable.safeParse(undefined).data];
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each value is what its variable has given
  return Object.fromEntries(values) as Judged<z.output<S>>;
}
