import { hasVerified } from '../db/recipients';
import type { Caller } from './authentication';
import type { ApiDeps } from './deps';
import { Problem } from './problems';

/**
 * With `UNVERIFIED_NUMBERS=refuse` nobody is called or texted at a number that the caller has not shown to be theirs.
 *
 * @param tokens of the number or address, under every live version
 * @param pointer where in the body it stood
 * @throws {Problem} `number-unverified`
 */
export async function refuseUnverified(
  deps: Pick<ApiDeps, 'config' | 'pool'>,
  { subjectId }: Caller,
  tokens: readonly Buffer[],
  pointer: string,
): Promise<void> {
  if (deps.config.limits.unverifiedNumbers === 'allow') return;
  await mustBeVerified(deps, { subjectId }, tokens, pointer);
}

/**
 * As {@link refuseUnverified}, whatever the configuration says: for words of the caller's own, which would otherwise reach
 * whoever has the number they saved.
 *
 * @throws {Problem} `number-unverified`
 */
export async function mustBeVerified(
  { pool }: Pick<ApiDeps, 'pool'>,
  { subjectId }: Pick<Caller, 'subjectId'>,
  tokens: readonly Buffer[],
  pointer: string,
): Promise<void> {
  if (await hasVerified(pool, subjectId, tokens)) return;
  const detail = 'A contact point of yours that is verified is expected here.';
  throw new Problem('number-unverified', { errors: [{ pointer, detail }] });
}
