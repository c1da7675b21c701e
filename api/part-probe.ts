import { PROBE_WITHIN } from './limits';
import type { PartReport } from './part-watch';
import { within } from './unavailable';

/** An answer is this long good for everybody who asks (ms): a crowd at `/health` costs a part one question a second. */
const GOOD_FOR = 1_000;

/** Asks a part when somebody wants to know, but never twice at a time and never more than once a second. */
export interface PartProbe {
  report(): Promise<PartReport & { readonly state: 'up' | 'down' }>;
}

/** @param ask resolves false, or rejects, when the part is not well */
export function probePart(ask: () => Promise<boolean>): PartProbe {
  let last: { readonly state: 'up' | 'down'; readonly checkedAt: Date } | null = null;
  let looking: Promise<void> | null = null;
  // One that outlived its deadline is waited for: a part that hangs must not collect our connections.
  let hanging: Promise<unknown> | null = null;
  const look = async (): Promise<void> => {
    let isWell = false;
    if (hanging === null) {
      const asked = ask();
      hanging = asked.then(forget, forget);
      isWell = await within(PROBE_WITHIN, asked).catch(() => false);
    }
    last = { state: isWell ? 'up' : 'down', checkedAt: new Date() };
  };
  const forget = () => {
    hanging = null;
  };
  return {
    async report() {
      if (last === null || Date.now() - last.checkedAt.getTime() >= GOOD_FOR) {
        looking ??= look().finally(() => {
          looking = null;
        });
        await looking;
      }
      return last ?? { state: 'down', checkedAt: new Date() };
    },
  };
}
