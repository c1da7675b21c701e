import type { CheckInProcess } from '../../../api/deps';
import type { CheckInAnswer, CheckInInput, CheckInOpened, CheckInOpening, CheckInTaken } from '../../../domain/buddies';
import type { TextedAnswer } from '../../../domain/check-in-answers';
import { ProcessIsOver } from '../../../temporal/errors';

/** Plays the workflows of check-ins; what their activities would write is up to the test. */
export class FakeCheckIns implements CheckInProcess {
  readonly begun: CheckInInput[] = [];
  readonly visits: { requestId: string; visit: CheckInOpened }[] = [];
  readonly answers: { requestId: string; answer: CheckInAnswer; updateId: string }[] = [];
  readonly texts: TextedAnswer[] = [];
  /** Thrown by everything, when set: Temporal is down. */
  down: Error | null = null;
  /** Check-ins whose workflow is over. */
  readonly over = new Set<string>();
  onBegin: (input: CheckInInput) => Promise<CheckInOpening> = async () => ({ state: 'pending' });
  onOpened: (requestId: string, visit: CheckInOpened) => Promise<void> = async () => undefined;
  onRespond: (requestId: string, answer: CheckInAnswer) => Promise<CheckInTaken> = async () => 'taken';

  async begin(input: CheckInInput): Promise<CheckInOpening> {
    this.fail();
    this.begun.push(input);
    return await this.onBegin(input);
  }

  async opened(requestId: string, visit: CheckInOpened): Promise<void> {
    this.fail(requestId);
    this.visits.push({ requestId, visit });
    await this.onOpened(requestId, visit);
  }

  async respond(requestId: string, answer: CheckInAnswer, updateId: string): Promise<CheckInTaken> {
    this.fail(requestId);
    this.answers.push({ requestId, answer, updateId });
    return await this.onRespond(requestId, answer);
  }

  async texted(answer: TextedAnswer): Promise<'signalled' | 'closed'> {
    this.fail();
    if (this.over.has(answer.requestId)) return 'closed';
    this.texts.push(answer);
    return 'signalled';
  }

  private fail(requestId?: string): void {
    if (this.down !== null) throw this.down;
    if (requestId !== undefined && this.over.has(requestId)) throw new ProcessIsOver();
  }
}
