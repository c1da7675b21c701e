/**
 * Begins a pass every `intervalMs`, never two at once: while one is under way its turn is left out. The process is not
 * kept alive by it.
 *
 * @param pass never rejects: what a failed one means is its own to say
 * @returns `stop` resolves when the pass under way is over
 */
export function startPasses(pass: () => Promise<void>, intervalMs: number): { stop(): Promise<void> } {
  let passing: Promise<void> = Promise.resolve();
  let isPassing = false;
  const timer = setInterval(() => {
    if (isPassing) return;
    isPassing = true;
    passing = pass().finally(() => {
      isPassing = false;
    });
  }, intervalMs);
  timer.unref();
  return {
    stop: () => {
      clearInterval(timer);
      return passing;
    },
  };
}
