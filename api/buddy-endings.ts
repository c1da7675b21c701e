import { tellUntoldEndings } from '../db/buddy-endings';
import { tellUntoldContacts } from '../db/contact-endings';
import type { ApiDeps } from './deps';
import { SIGNAL_WITHIN } from './limits';
import { within } from './unavailable';

/** Whoever else waits is the relay's. */
const AT_ONCE = 20;

/**
 * Right after a change that ends a buddy or a registered contact has committed: running workflows hear of it now. Never
 * throws; what could not be told within a second is left to the relay of the worker.
 */
export async function tellEndings(deps: ApiDeps): Promise<void> {
  try {
    await within(SIGNAL_WITHIN, tellAll(deps));
  } catch (error) {
    deps.logger.warn({ error }, 'the end of a buddy or contact waits for the relay');
  }
}

async function tellAll({ pool, buddyEndings, wellbeing }: ApiDeps): Promise<void> {
  const give = (error: unknown): void => {
    throw error;
  };
  await tellUntoldEndings(pool, (ending) => buddyEndings.tell(ending, SIGNAL_WITHIN), give, AT_ONCE);
  await tellUntoldContacts(pool, (asked) => wellbeing.contactAnswers(asked, 'unavailable'), give, AT_ONCE);
}
