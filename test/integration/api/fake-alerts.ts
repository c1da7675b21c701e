import type { VoiceAlertProcess } from '../../../api/deps';
import type { LegEnded } from '../../../domain/mentor-call';
import type { AlertPlan, AlertQuestion, VoiceAlertInput } from '../../../domain/voice-alert';
import { ProcessIsOver } from '../../../temporal/errors';

/** Plays the workflows of alerts, as {@link FakeProcess} does those of mentor calls. */
export class FakeAlerts implements VoiceAlertProcess {
  readonly started: VoiceAlertInput[] = [];
  readonly asked: { alertId: string; question: AlertQuestion; updateId: string }[] = [];
  readonly ended: { alertId: string; event: LegEnded }[] = [];
  readonly cancelled: string[] = [];
  plan: AlertPlan = { do: 'hang-up' };
  /** Thrown by everything, when set: Temporal is down. */
  down: Error | null = null;
  /** Alerts whose workflow is over or never was. */
  readonly over = new Set<string>();
  /** Runs once an alert was started, as the workflow's first activity would. */
  onStart: (input: VoiceAlertInput) => Promise<void> = async () => undefined;

  async start(input: VoiceAlertInput): Promise<'running' | 'over'> {
    this.fail();
    if (!this.started.some(({ alertId }) => alertId === input.alertId)) {
      this.started.push(input);
      await this.onStart(input);
    }
    return 'running';
  }

  async ask(alertId: string, question: AlertQuestion, updateId: string): Promise<AlertPlan> {
    this.fail();
    if (this.over.has(alertId)) throw new ProcessIsOver();
    this.asked.push({ alertId, question, updateId });
    return this.plan;
  }

  async legEnded(alertId: string, event: LegEnded): Promise<'signalled' | 'closed'> {
    this.fail();
    if (this.over.has(alertId)) return 'closed';
    this.ended.push({ alertId, event });
    return 'signalled';
  }

  async cancel(alertId: string) {
    this.fail();
    this.cancelled.push(alertId);
    if (!this.started.some((input) => input.alertId === alertId)) return 'not-found' as const;
    return { state: 'cancelled', endReason: 'cancelled-by-request', reached: null } as const;
  }

  async describe(alertId: string) {
    this.fail();
    const input = this.started.find((one) => one.alertId === alertId);
    return input === undefined ? null : { owner: input.requestedBy, requestHash: input.requestHash, running: true };
  }

  private fail(): void {
    if (this.down !== null) throw this.down;
  }
}
