/**
 * Whether arrays and objects are nested deeper than that. Level by level, without recursion: what fits into a body is
 * deep enough to use up the stack of whatever follows it down.
 */
export function isDeeperThan(most: number, value: unknown): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; depth < most; depth += 1) {
    level = level.flatMap((part) => (typeof part === 'object' && part !== null ? Object.values(part) : []));
    if (level.length === 0) return false;
  }
  return level.some((part) => typeof part === 'object' && part !== null);
}
