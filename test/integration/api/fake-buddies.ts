import { randomUUID } from 'node:crypto';
import { createBuddyVerificationActivities } from '../../../activities/buddy-verification';
import type { ActivityDependencies } from '../../../activities/dependencies';
import type { ApiDeps, BuddyProcess } from '../../../api/deps';
import type { Invite, InviteAnswer, Renewal, RenewalAnswer, VerificationAnswer } from '../../../domain/buddies';
import type { VerificationState } from '../../../domain/buddies';
import { ProcessIsOver } from '../../../temporal/errors';
import type { VerificationBegun } from '../../../temporal/buddy-verification';
import { messageLinkToken } from '../../../vault/link-tokens';
import type { ServiceKey } from '../../../vault/service-keys';

type Parts = Pick<ApiDeps, 'pool' | 'vault' | 'tokenizer' | 'config'> & { readonly linkKey: ServiceKey };

/** Plays the workflows of buddies: the database steps are the service's own, and no e-mail is sent. */
export class FakeBuddies implements BuddyProcess {
  /** E-mails that would have been started. */
  readonly mails: { readonly buddyId: string; readonly version: number; readonly messageId: string }[] = [];
  readonly answered: VerificationAnswer[] = [];
  /** Buddies whose workflow is over. */
  readonly over = new Set<string>();
  /** Thrown by everything, when set. */
  down: Error | null = null;
  readonly steps: ReturnType<typeof createBuddyVerificationActivities>;

  constructor(private readonly parts: Parts) {
    const { pool, vault, tokenizer, config, linkKey } = parts;
    const deps = { pool, vault, tokenizer, buddies: config.buddies, mail: { linkKey } };
    this.steps = createBuddyVerificationActivities(deps as unknown as ActivityDependencies);
  }

  async invite({ buddyId, userId }: VerificationBegun, { invitationId }: Invite): Promise<InviteAnswer> {
    this.fail();
    const claimed = await this.steps.claimInvitation({ buddyId, userId, invitationId, messageId: randomUUID() });
    if ('refused' in claimed) return claimed;
    const { messageId, isNew, ...answer } = claimed;
    if (isNew) this.mails.push({ buddyId, version: answer.version, messageId });
    return answer;
  }

  async renew({ buddyId }: VerificationBegun, { version }: Renewal): Promise<RenewalAnswer> {
    this.fail();
    return this.steps.noteRenewalAsked({ buddyId, version });
  }

  async answer(buddyId: string, answer: VerificationAnswer): Promise<VerificationState> {
    this.fail();
    if (this.over.has(buddyId)) throw new ProcessIsOver();
    this.answered.push(answer);
    return this.steps.answerInvitation({ buddyId, ...answer });
  }

  /** The token that the e-mail with this link would carry. */
  token(buddyId: string, version = 1): string {
    return messageLinkToken(this.parts.linkKey, { use: 'buddy-invitation', id: buddyId, version });
  }

  /** Whoever was asked was asked so much earlier. */
  async timePasses(ms: number): Promise<void> {
    const by = `interval '${ms} milliseconds'`;
    const { pool } = this.parts;
    const { rows } = await pool.query('SELECT invitation_id FROM buddy_invitations ORDER BY asked_at');
    // One after the other, or they would meet on their way.
    for (const { invitation_id: id } of rows) {
      await pool.query(
        `UPDATE buddy_invitations SET asked_at = asked_at - ${by}, expires_at = expires_at - ${by},
                cooldown = tstzrange(lower(cooldown) - ${by}, upper(cooldown) - ${by}) WHERE invitation_id = $1`,
        [id],
      );
    }
    await pool.query(`UPDATE buddy_contacts SET verification_token_expires_at = verification_token_expires_at - ${by}`);
  }

  private fail(): void {
    if (this.down !== null) throw this.down;
  }
}
