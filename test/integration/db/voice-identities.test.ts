import { randomBytes } from 'node:crypto';
import { openCall } from '../../../db/calls';
import { createSubject } from '../../../db/subjects';
import {
  deleteOldVoiceIdentities,
  endVoiceIdentities,
  findVoiceIdentity,
  saveVoiceIdentity,
  type VoiceIdentity,
} from '../../../db/voice-identities';
import { appCallInput } from '../../mentor-call-input';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { LIMITS } from './people';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000);

async function somebody(more: Partial<VoiceIdentity> = {}): Promise<VoiceIdentity> {
  const who: VoiceIdentity = {
    identity: randomBytes(32).toString('hex'),
    subjectId: await createSubject(database.app, 'system'),
    country: 'US',
    language: 'en',
    consent: null,
    expiresAt: inMinutes(10),
    ...more,
  };
  await saveVoiceIdentity(database.app, who);
  return who;
}

test('an identity leads back to its person as the last token said, whatever the one before did', async () => {
  const first = await somebody({ consent: { textVersion: 'app-2026-11', language: 'en' } });
  expect(await findVoiceIdentity(database.app, first.identity)).toEqual(first);
  const renewed = { ...first, country: 'MX', language: 'es', consent: null, expiresAt: inMinutes(12) };
  await saveVoiceIdentity(database.app, renewed);
  expect(await findVoiceIdentity(database.app, first.identity)).toEqual(renewed);
});

test('one that was given to nobody leads nowhere, nor does one whose token is over by more than a minute', async () => {
  expect(await findVoiceIdentity(database.app, '0'.repeat(64))).toBeNull();
  const over = await somebody({ expiresAt: inMinutes(-1.1) });
  const justOver = await somebody({ expiresAt: inMinutes(-0.5) });
  expect(await findVoiceIdentity(database.app, over.identity)).toBeNull();
  expect(await findVoiceIdentity(database.app, justOver.identity)).not.toBeNull();
});

test('signing out takes all of one person, and nobody else', async () => {
  const [one, other] = [await somebody(), await somebody()];
  await endVoiceIdentities(database.app, one.subjectId);
  expect(await findVoiceIdentity(database.app, one.identity)).toBeNull();
  expect(await findVoiceIdentity(database.app, other.identity)).not.toBeNull();
});

test('the sweep deletes what is over, and only that', async () => {
  const over = await somebody({ expiresAt: inMinutes(-2) });
  const current = await somebody();
  expect(await deleteOldVoiceIdentities(database.app)).toBeGreaterThan(0);
  const { rows } = await database.owner.query('SELECT identity FROM voice_identities');
  const left = rows.map(({ identity }) => identity);
  expect(left).not.toContain(over.identity);
  expect(left).toContain(current.identity);
});

describe('calls from the app', () => {
  const call = async (userId: string) => {
    const input = appCallInput(`CA${randomBytes(16).toString('hex')}`, { userId });
    return { input, opened: await openCall(database.app, input, LIMITS) };
  };

  test('are opened without a number; their leg is known at once, and a sweep can find it', async () => {
    const { input, opened } = await call(await createSubject(database.app, 'system'));
    expect(opened).toEqual({ state: 'opened' });
    const { rows } = await database.owner.query(
      'SELECT way_in, record_id, recipient_token, call_sid FROM call_logs WHERE call_id = $1',
      [input.callId],
    );
    expect(rows).toEqual([{ way_in: 'app', record_id: null, recipient_token: null, call_sid: input.fromApp?.callSid }]);
  });

  test('are one live call for each user, and their legs that go no further are left to themselves', async () => {
    const userId = await createSubject(database.app, 'system');
    const first = await call(userId);
    const second = await call(userId);
    expect(second.opened).toEqual({ state: 'merged', mergedInto: first.input.callId });
    const { rows } = await database.owner.query('SELECT call_sid FROM call_logs WHERE call_id = $1', [
      second.input.callId,
    ]);
    expect(rows).toEqual([{ call_sid: null }]);
  });

  test('count for their user’s limit, and many users from nowhere share none', async () => {
    const userId = await createSubject(database.app, 'system');
    const over = (callId: string) =>
      database.owner.query(
        `UPDATE call_logs SET live = false, status = 'cancelled', outcome = 'cancelled', ended_at = now() WHERE call_id = $1`,
        [callId],
      );
    for (let n = 0; n < LIMITS.perUser; n += 1) {
      const { input, opened } = await call(userId);
      expect(opened).toEqual({ state: 'opened' });
      await over(input.callId);
    }
    expect((await call(userId)).opened).toMatchObject({ state: 'limited', which: 'user' });
    for (let n = 0; n <= LIMITS.perTarget; n += 1) {
      expect((await call(await createSubject(database.app, 'system'))).opened).toEqual({ state: 'opened' });
    }
  });
});
