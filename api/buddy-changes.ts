import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { type Buddy, listBuddies, lockBuddiesOf, lockBuddy, rankBuddies } from '../db/buddies';
import { type BuddyDestination, changeBuddy, changeDestination } from '../db/buddy-changes';
import { endBuddy } from '../db/buddy-endings';
import { inTransaction } from '../db/pool';
import type { Db } from '../db/query';
import { destroyRecord } from '../db/vault-rows';
import { SubjectHeld } from '../domain/errors';
import { type SealedKind, SealedValue } from '../domain/sealed';
import { ownBuddy, sendBuddy } from './buddies';
import { buddyChange } from './buddies-shapes';
import { tellEndings } from './buddy-endings';
import { checkNotOneself, checkNotRefused, checkNotTwice } from './buddy-checks';
import { checkedBody, checkedId } from './checked-input';
import type { ApiDeps } from './deps';
import { addressToWriteTo, numberToRing } from './given-numbers';
import { Problem } from './problems';
import type { Routes } from './routes';

const CHANGE = 'PATCH /api/buddy/:buddyId';
const REMOVE = 'DELETE /api/buddy/:buddyId';

/** Entries changed and removed by their user. */
export function buddyChanges(routes: Routes, deps: ApiDeps): void {
  routes.signedIn(CHANGE, async (req, res, caller) => {
    const { buddyId } = await ownBuddy(deps, CHANGE, caller, checkedId(req, 'buddyId'));
    const wanted = checkedBody(buddyChange, req);
    const given = destinationsOf(deps, wanted);
    const changed = await inTransaction(deps.pool, async (tx) => {
      await lockBuddiesOf(tx, caller.subjectId);
      const buddy = await lockBuddy(tx, buddyId);
      if (buddy === null || buddy.removedAt !== null) throw new Problem('not-found');
      await change(deps, tx, buddy, wanted);
      if (given.length > 0) await reachElsewhere(deps, tx, buddy, given);
      const entry = { actor: caller.subjectId, action: 'buddy.changed', objectId: buddyId, outcome: 'done' } as const;
      await appendAudit(tx, entry);
      return lockBuddy(tx, buddyId);
    });
    if (changed === null) throw new Problem('not-found');
    await sendBuddy(deps, res, changed);
  });

  routes.signedIn(REMOVE, async (req, res, caller) => {
    await removeBuddy(deps, await ownBuddy(deps, REMOVE, caller, checkedId(req, 'buddyId')));
    res.status(204).end();
  });
}

/**
 * Off the list, whatever runs for them is told, and the person is erased as far as no legal hold stands. How often they
 * were asked goes on counting.
 */
export async function removeBuddy(deps: ApiDeps, { buddyId, subjectId, userId }: Buddy): Promise<void> {
  await inTransaction(deps.pool, async (tx) => {
    await lockBuddiesOf(tx, userId);
    const buddy = await lockBuddy(tx, buddyId);
    if (buddy === null) throw new Problem('not-found');
    await endBuddy(tx, { buddy, how: 'removed', actor: userId, version: null });
    const left = (await listBuddies(tx, userId)).map((one) => one.buddyId);
    await rankBuddies(tx, userId, left);
  });
  await deps.vault.eraseSubject(subjectId, userId, 'limits').catch((error: unknown) => {
    // Off the list all the same; what is held is erased when the hold is lifted and retention comes by.
    if (!(error instanceof SubjectHeld)) throw error;
  });
  await tellEndings(deps);
}

type Change = z.output<typeof buddyChange>;

async function change(deps: ApiDeps, tx: Db, buddy: Buddy, wanted: Change): Promise<void> {
  const { name, relationship, language, rank } = wanted;
  const { buddyId, userId, relationshipRecordId } = buddy;
  const nameRecordId = name === undefined ? buddy.nameRecordId : await sealed(deps, tx, buddy, 'name', name);
  const relation = relationship == null ? null : await sealed(deps, tx, buddy, 'text', relationship);
  await changeBuddy(tx, buddyId, {
    nameRecordId,
    relationshipRecordId: relationship === undefined ? relationshipRecordId : relation,
    language: language ?? buddy.language,
  });
  if (name !== undefined) await replaced(tx, buddy, buddy.nameRecordId);
  if (relationship !== undefined && relationshipRecordId !== null) await replaced(tx, buddy, relationshipRecordId);
  if (rank === undefined) return;
  const order = (await listBuddies(tx, userId)).map((one) => one.buddyId).filter((id) => id !== buddyId);
  order.splice(rank - 1, 0, buddyId);
  await rankBuddies(tx, userId, order);
}

interface Given {
  readonly value: SealedValue<'phone'> | SealedValue<'email'>;
  readonly country: string | null;
}

function destinationsOf({ config }: ApiDeps, { phoneNumber, email }: Change): Given[] {
  const given: Given[] = [];
  if (phoneNumber !== undefined) {
    const { e164, country } = numberToRing(phoneNumber, '#/phoneNumber', config);
    given.push({ value: e164, country });
  }
  if (email !== undefined) given.push({ value: addressToWriteTo(email, '#/email'), country: null });
  return given;
}

/** Whoever was asked agreed, or not, for one number and one address: another one is another buddy. */
async function reachElsewhere(deps: ApiDeps, tx: Db, buddy: Buddy, given: readonly Given[]): Promise<void> {
  const { tokenizer } = deps;
  if (buddy.linkVersion > 0) throw new Problem('buddy-was-asked');
  const tokens = given.flatMap(({ value }) => tokenizer.candidates(value));
  await checkNotOneself(tx, buddy.userId, tokens);
  await checkNotRefused(tx, buddy.userId, tokens);
  const others = await listBuddies(tx, buddy.userId);
  checkNotTwice(
    others.filter(({ buddyId }) => buddyId !== buddy.buddyId),
    tokens,
  );
  for (const { value, country } of given) {
    const to: BuddyDestination = {
      kind: value.kind,
      recordId: await deps.vault.seal({ subjectId: buddy.subjectId, kind: value.kind, value }, tx),
      token: tokenizer.token(value),
      tokenVersion: tokenizer.version,
      country,
    };
    await changeDestination(tx, buddy.buddyId, to);
    await replaced(tx, buddy, value.kind === 'phone' ? buddy.phoneRecordId : buddy.emailRecordId);
  }
}

function sealed({ vault }: ApiDeps, tx: Db, { subjectId }: Buddy, kind: SealedKind, text: string): Promise<string> {
  return vault.seal({ subjectId, kind, value: SealedValue.of(kind, text) }, tx);
}

async function replaced(tx: Db, { userId }: Buddy, recordId: string): Promise<void> {
  await destroyRecord(tx, recordId, { reason: 'replaced', actor: userId });
}
