import type { WellbeingProcess } from '../../../api/deps';
import type { CheckInResponse } from '../../../domain/buddies';
import type { ContactAsked, WellbeingAlertInput, WellbeingResult } from '../../../domain/wellbeing-alert';

/** Plays the workflows of wellbeing alerts: remembers what it was asked, answers what a test says. */
export class FakeWellbeing implements WellbeingProcess {
  readonly started: WellbeingAlertInput[] = [];
  readonly closed: { alertId: string; by: 'user' | 'staff' }[] = [];
  readonly confirmed: { alertId: string; actor: string }[] = [];
  readonly answers: { alertId: string; response: CheckInResponse }[] = [];
  /** Texts that wait for nothing any more. */
  readonly withdrawn: (string | null)[] = [];
  /** Thrown by everything, when set: Temporal is down. */
  down: Error | null = null;
  /** As it is, it plays a workflow that was lost: it is over, and the row goes on. */
  onClose: (alertId: string) => Promise<WellbeingResult | 'over'> = async () => 'over';
  onConfirm: (alertId: string) => Promise<'confirmed' | 'over' | 'refused'> = async () => 'refused';

  onAnswer: () => Promise<'noted' | 'kept' | 'over'> = async () => 'noted';

  async start(input: WellbeingAlertInput): Promise<'running' | 'over'> {
    this.fail();
    this.started.push(input);
    return 'running';
  }

  async close(alertId: string, by: 'user' | 'staff'): Promise<WellbeingResult | 'over'> {
    this.fail();
    this.closed.push({ alertId, by });
    return this.onClose(alertId);
  }

  async confirmEmergency(alertId: string, actor: string): Promise<'confirmed' | 'over' | 'refused'> {
    this.fail();
    this.confirmed.push({ alertId, actor });
    return this.onConfirm(alertId);
  }

  async contactAnswers(
    { alertId, messageId }: ContactAsked,
    response: CheckInResponse,
  ): Promise<'noted' | 'kept' | 'over'> {
    this.fail();
    this.answers.push({ alertId, response });
    this.withdrawn.push(messageId);
    return this.onAnswer();
  }

  private fail(): void {
    if (this.down !== null) throw this.down;
  }
}
