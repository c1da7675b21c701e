/** Who there is to be asked in a step, at this moment. */
import { z } from 'zod';
import type { EscalationStep } from '../domain/escalation-policy';
import type { SkipReason } from '../domain/wellbeing-alert';
import { listBuddies } from './buddies';
import { type Db, maybeOne } from './query';
import { contactToAsk } from './registered-contacts';

/** Of the organisation, as configured: whom steps of its own come to. */
export interface OrganisationParties {
  readonly serviceEmail: string | null;
  readonly servicePhone: string | null;
  readonly onCallNumbers: readonly string[];
}

/** `buddies`: ids by rank. `others`: how many of whoever else it is. */
export type Addressees =
  | { readonly buddies: readonly string[] }
  | { readonly others: number }
  | { readonly nobody: SkipReason };

/**
 * @param asked buddies who were asked before in the same alert
 */
export async function addresseesOf(
  db: Db,
  userId: string,
  step: Pick<EscalationStep, 'who' | 'count' | 'channel'>,
  asked: readonly string[],
  organisation: OrganisationParties,
): Promise<Addressees> {
  switch (step.who) {
    case 'buddies':
      return buddiesToAsk(db, userId, step.count, asked);
    case 'registered-contact':
      return await contactOf(db, userId);
    case 'wellbeing-service': {
      const where = step.channel === 'email' ? organisation.serviceEmail : organisation.servicePhone;
      return where === null ? NOT_CONFIGURED : { others: 1 };
    }
    case 'on-call':
    case 'emergency': {
      const { length } = organisation.onCallNumbers;
      return length === 0 ? NOT_CONFIGURED : { others: length };
    }
  }
}

const NOT_CONFIGURED = { nobody: 'not-configured' } as const;

async function buddiesToAsk(db: Db, userId: string, count: number, asked: readonly string[]): Promise<Addressees> {
  const all = await listBuddies(db, userId);
  const able = all.filter(({ canBeAsked }) => canBeAsked);
  const next = able.filter(({ buddyId }) => !asked.includes(buddyId)).slice(0, count);
  if (next.length > 0) return { buddies: next.map(({ buddyId }) => buddyId) };
  if (able.length > 0 || asked.length > 0) return { nobody: 'all-asked' };
  if (all.length === 0) return { nobody: 'no-buddies' };
  return { nobody: all.some(({ verifiedAt }) => verifiedAt !== null) ? 'all-opted-out' : 'nobody-verified' };
}

async function contactOf(db: Db, userId: string): Promise<Addressees> {
  const contact = await contactToAsk(db, userId);
  return 'nobody' in contact ? contact : { others: 1 };
}

/** Nobody is asked to look after somebody who was erased. */
export async function isGone(db: Db, userId: string): Promise<boolean> {
  const row = await maybeOne(
    db,
    z.object({ is_gone: z.boolean() }),
    'SELECT erased_at IS NOT NULL AS is_gone FROM subjects WHERE subject_id = $1',
    [userId],
  );
  return row?.is_gone ?? true;
}
