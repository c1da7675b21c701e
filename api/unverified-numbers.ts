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
  if (deps.config.limits.unverifiedNumbers === 'allow' || (await hasVerified(deps.pool, subjectId, tokens))) return;
  const detail = 'A contact point of yours that is verified is expected here.';
  throw new Problem('number-unverified', { errors: [{ pointer, detail }] });
}
