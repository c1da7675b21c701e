/**
 * Tells what is untold, one after the other. What one of them cannot be told does not keep the others from theirs.
 *
 * @param tell may be repeated: where it throws, the next pass tells it again. It gives false where there was nothing to tell
 * @param onFailure throws to end it: the others would only wait too
 * @returns how many were told
 */
export async function tellEach<T>(
  untold: readonly T[],
  tell: (one: T) => Promise<boolean>,
  onFailure: (error: unknown) => void,
): Promise<number> {
  let told = 0;
  for (const one of untold) {
    try {
      if (await tell(one)) told += 1;
    } catch (error) {
      onFailure(error);
    }
  }
  return told;
}
