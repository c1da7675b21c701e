/** How long scores, alerts and contacts stay, what a legal hold keeps, and what is left when their user is erased. */
import { randomBytes, randomUUID } from 'node:crypto';
import { hasRefused } from '../../../db/buddy-refusals';
import { placeHold } from '../../../db/legal-holds';
import { inTransaction } from '../../../db/pool';
import { insertContact, noteContactAnswer, findRegisteredContact } from '../../../db/registered-contacts';
import { createSubject } from '../../../db/subjects';
import type { Vault } from '../../../db/vault-records';
import { findWellbeingAlert, stepsOfAlert } from '../../../db/wellbeing-alerts';
import { beginWellbeingStep, closeWellbeingAlert, openWellbeingAlert } from '../../../db/wellbeing-course';
import { takeScores } from '../../../db/wellbeing-scores';
import { BUILT_IN_POLICY } from '../../../domain/escalation-policy';
import type { SweptKind } from '../../../domain/retention';
import { SealedValue } from '../../../domain/sealed';
import { createTokenizer } from '../../../vault/tokens';
import { MARKED } from '../../marked-people';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { localRing, vaultOver } from '../db/people';
import { recordsOf, sweepBoth } from '../db/sweeps';
import { buddyOf, scoreOf } from './circle';

const DAY = 24 * 3_600_000;
const RULES = { triggers: { low: 40, lowInARow: 3, drop: 20 }, alertSpacingMs: 3 * DAY, countForMs: 14 * DAY };
const NOBODY = { serviceEmail: null, servicePhone: null, onCallNumbers: [] };
const tokenizer = createTokenizer([{ version: 1, key: randomBytes(32) }]);
let database: TestDatabase;
let vault: Vault;
beforeEach(async () => {
  database = await createTestDatabase();
  vault = vaultOver(database.app, await localRing(), { databaseUrl: database.appUrl });
});
afterEach(async () => {
  await vault.close();
  await database.drop();
});

const sweep = (kind: SweptKind) => sweepBoth(database.app, kind);
const user = () => createSubject(database.app, 'system');
const hold = (subjectId: string) =>
  inTransaction(database.app, (tx) => placeHold(tx, { subjectId, reason: 'dispute', actor: subjectId }));
const count = async (table: string): Promise<number> =>
  (await database.owner.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0].n;
const aged = (table: string, columns: readonly string[], days: number, where = 'true') =>
  database.owner.query(
    `UPDATE ${table} SET ${columns.map((c) => `${c} = ${c} - interval '${days} days'`).join(', ')} WHERE ${where}`,
  );

/** An alert that has come to its end. */
async function endedAlert(userId: string): Promise<string> {
  const { alerts } = await takeScores(database.app, [scoreOf(userId, 50, 1, { risk: 'high' })], RULES);
  const alertId = alerts[0]?.alertId ?? '';
  await openWellbeingAlert(database.app, alertId);
  const endedAt = new Date().toISOString();
  await closeWellbeingAlert(database.app, {
    alertId,
    state: 'closed',
    endReason: 'nobody-answered',
    decision: null,
    endedAt,
  });
  return alertId;
}

async function contactOf(userId: string, phone = MARKED.otherUserPhone) {
  const subjectId = await createSubject(database.app, userId);
  const seal = (kind: 'name' | 'phone', text: string) =>
    vault.seal({ subjectId, kind, value: SealedValue.of(kind, text) });
  const phoneToken = tokenizer.token(SealedValue.of('phone', phone));
  const contactId = randomUUID();
  const records = { nameRecordId: await seal('name', MARKED.mentorName), phoneRecordId: await seal('phone', phone) };
  await inTransaction(database.app, (tx) =>
    insertContact(tx, {
      contactId,
      userId,
      subjectId,
      ...records,
      phoneToken,
      tokenVersion: 1,
      country: 'US',
      language: 'en',
      messageId: randomUUID(),
    }),
  );
  return { contactId, subjectId, userId, phoneToken };
}
const answers = async (userId: string, answer: 'agreed' | 'refused') => {
  const contact = await findRegisteredContact(database.app, userId);
  if (contact === null) throw new Error('there is no contact');
  await inTransaction(database.app, (tx) => noteContactAnswer(tx, contact, answer));
};

test('a score goes fourteen days after it was measured, whenever it came', async () => {
  const userId = await user();
  const scores = [1, 20, 30].map((hours) => scoreOf(userId, 80, hours));
  await takeScores(database.app, scores, RULES);
  await aged('wellbeing_scores', ['measured_at'], 13);
  expect(await sweep('wellbeing-scores')).toEqual({ taken: 1, held: 0 });
  expect(await count('wellbeing_scores')).toBe(2);
});

test('an alert goes with its steps ninety days after its end, and none that has not ended or still spaces the next', async () => {
  const [old, young, running, spacing] = [await user(), await user(), await user(), await user()];
  const gone = await endedAlert(old);
  const left = [await endedAlert(young), await endedAlert(spacing)];
  await takeScores(database.app, [scoreOf(running, 50, 1, { risk: 'high' })], RULES);
  const times = ['due_at', 'ended_at'];
  await aged('wellbeing_alerts', times, 91, `user_id <> '${young}'`);
  await aged('wellbeing_alerts', times, 89, `user_id = '${young}'`);
  const early = `cooldown = tstzrange(lower(cooldown) - interval '91 days', upper(cooldown) - interval '91 days')`;
  await database.owner.query(`UPDATE wellbeing_alerts SET ${early} WHERE user_id = $1`, [old]);
  expect(await sweep('wellbeing-alerts')).toEqual({ taken: 1, held: 0 });
  expect(await findWellbeingAlert(database.app, gone)).toBeNull();
  expect(await stepsOfAlert(database.app, gone)).toEqual([]);
  for (const alertId of left) expect(await findWellbeingAlert(database.app, alertId)).not.toBeNull();
  expect(await count('wellbeing_alerts')).toBe(3);
});

test('a contact who has never agreed goes thirty days after they were told, as a person', async () => {
  const [silent, young, agreed, asked] = [
    await contactOf(await user()),
    await contactOf(await user()),
    await contactOf(await user()),
    await contactOf(await user()),
  ];
  await answers(agreed.userId, 'agreed');
  await aged('registered_contacts', ['named_at'], 31);
  const told = `UPDATE registered_contacts SET told_at = now() - interval '29 days' WHERE contact_id = $1`;
  await database.owner.query(told, [young.contactId]);
  // An alert may be asking them at this moment.
  await takeScores(database.app, [scoreOf(asked.userId, 50, 1, { risk: 'high' })], RULES);
  expect(await sweep('silent-contacts')).toEqual({ taken: 1, held: 0 });
  expect(await recordsOf(database.app, silent.subjectId)).toBe(0);
  for (const { userId, subjectId } of [young, agreed, asked]) {
    expect(await findRegisteredContact(database.app, userId)).not.toBeNull();
    expect(await recordsOf(database.app, subjectId)).toBe(2);
  }
});

test('a contact who has refused or was removed goes ninety days after that; the refusal stays', async () => {
  const [refused, removed, lately] = [
    await contactOf(await user()),
    await contactOf(await user()),
    await contactOf(await user()),
  ];
  await answers(refused.userId, 'refused');
  await answers(lately.userId, 'refused');
  await database.owner.query('UPDATE registered_contacts SET removed_at = now() WHERE contact_id = $1', [
    removed.contactId,
  ]);
  await aged('registered_contacts', ['refused_at', 'removed_at'], 91, `contact_id <> '${lately.contactId}'`);
  expect(await sweep('ended-contacts')).toEqual({ taken: 2, held: 0 });
  expect([await recordsOf(database.app, refused.subjectId), await recordsOf(database.app, removed.subjectId)]).toEqual([
    0, 0,
  ]);
  expect(await count('registered_contacts')).toBe(1);
  expect(await hasRefused(database.app, refused.userId, [refused.phoneToken])).toBe(true);
});

test('a legal hold on the user keeps all of it, and says how many', async () => {
  const userId = await user();
  await endedAlert(userId);
  await contactOf(userId);
  await aged('wellbeing_scores', ['measured_at'], 15);
  await aged('wellbeing_alerts', ['due_at', 'ended_at'], 100);
  await database.owner.query(`UPDATE wellbeing_alerts SET cooldown = tstzrange('2020-01-01', '2020-01-04')`);
  await aged('registered_contacts', ['named_at'], 100);
  const held = await hold(userId);
  for (const kind of ['wellbeing-scores', 'wellbeing-alerts', 'silent-contacts'] as const) {
    expect(await sweep(kind)).toEqual({ taken: 0, held: 1 });
  }
  expect(held).not.toBeNull();
  await database.app.query('UPDATE legal_holds SET lifted_at = now(), lifted_by = placed_by');
  for (const kind of ['wellbeing-scores', 'wellbeing-alerts', 'silent-contacts'] as const) {
    expect(await sweep(kind)).toEqual({ taken: 1, held: 0 });
  }
});

describe('erasing a user', () => {
  test('takes their scores, why their alerts began, and their contact as a person', async () => {
    const userId = await user();
    const alertId = await endedAlert(userId);
    const { subjectId, contactId } = await contactOf(userId);
    const buddyId = await buddyOf({ pool: database.app, vault }, userId, 1);
    await vault.eraseSubject(userId, 'system');
    expect(await count('wellbeing_scores')).toBe(0);
    expect(await findWellbeingAlert(database.app, alertId)).toMatchObject({
      reason: null,
      days: null,
      state: 'closed',
    });
    expect(await recordsOf(database.app, subjectId)).toBe(0);
    const { rows } = await database.app.query(
      `SELECT c.phone_token, c.link_hash, c.removed_at IS NOT NULL AS removed, s.erased_at IS NOT NULL AS erased
         FROM registered_contacts c JOIN subjects s USING (subject_id) WHERE contact_id = $1`,
      [contactId],
    );
    expect(rows).toEqual([{ phone_token: null, link_hash: null, removed: true, erased: true }]);
    expect(buddyId).not.toBe('');
    // What comes late is of nobody.
    const late = await takeScores(database.app, [scoreOf(userId, 10, 1)], RULES);
    expect(late).toMatchObject({ taken: 0, ofUnknownUsers: 1 });
  });

  test('leaves a contact whom a legal hold keeps, who is asked no more', async () => {
    const userId = await user();
    const { subjectId } = await contactOf(userId);
    await hold(subjectId);
    await vault.eraseSubject(userId, 'system');
    expect(await recordsOf(database.app, subjectId)).toBe(2);
    expect(await findRegisteredContact(database.app, userId)).toBeNull();
  });

  test('ends an alert that runs with its next step, and nobody is asked', async () => {
    const userId = await user();
    const { alerts } = await takeScores(database.app, [scoreOf(userId, 50, 1, { risk: 'high' })], RULES);
    const alertId = alerts[0]?.alertId ?? '';
    await vault.eraseSubject(userId, 'system');
    expect(await openWellbeingAlert(database.app, alertId)).toMatchObject({ days: 1 });
    const [step] = BUILT_IN_POLICY.steps;
    if (step === undefined) throw new Error('the policy has no step');
    const asked = { alertId, userId, position: 1, step, askedBuddyIds: [], askIds: [randomUUID()] };
    expect(await beginWellbeingStep(database.app, asked, NOBODY)).toEqual({ gone: true });
  });
});

test('erasing a contact forgets their number and their link', async () => {
  const { subjectId, contactId } = await contactOf(await user());
  await database.owner.query('UPDATE registered_contacts SET link_hash = $2 WHERE contact_id = $1', [
    contactId,
    randomBytes(32),
  ]);
  await vault.eraseSubject(subjectId, subjectId);
  const { rows } = await database.app.query('SELECT phone_token, link_hash FROM registered_contacts');
  expect(rows).toEqual([{ phone_token: null, link_hash: null }]);
});
