/**
 * Waits for both also when one fails: what the other was still starting must be known before everything is ended.
 *
 * @throws what the first of them threw
 */
export async function bothOrNone<A, B>(one: A | Promise<A>, other: B | Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([one, other]);
  return Promise.all([one, other]);
}
