import type { LedgerEntry } from '../../../simulator/client';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { contractViolations, legOf, rings } from '../calls/people';

const { userPhone, mentorPhone, messageWords } = MARKED;
const who = { role: 'staff', subject: 'a-night-shift' } as const;

let stack: TestStack;
beforeAll(async () => {
  const env = { ALERT_RETRY_AFTER: '1s', ALERT_ESCALATION_DELAY: '0s' };
  stack = await startStack({ env });
});
afterAll(async () => {
  await stack.stop();
});
beforeEach(async () => {
  await stack.sim.reset();
  await stack.sim.settings({ wordMs: 2 });
});
afterEach(async () => {
  expect(await contractViolations(stack)).toEqual([]);
});

async function alerted(more: object = {}): Promise<string> {
  const recipients = [{ phoneNumber: userPhone }, { phoneNumber: mentorPhone }];
  const json = { recipients, text: messageWords, attempts: 1, ...more };
  const { status, body, text } = await stack.api('/alerts/voice', { json }, who);
  if (status !== 202) throw new Error(`the request was refused: ${status} ${text}`);
  return body.alertId as string;
}

async function ended(alertId: string) {
  return eventually(async () => {
    const { body } = await stack.api(`/alerts/voice/${alertId}`, {}, who);
    if (body?.endedAt == null) throw new Error(`still ${String(body?.state)}`);
    return body;
  });
}

const heard = (leg: LedgerEntry | undefined) => leg?.heard.join(' ') ?? '';

it('rings the next recipient after a voicemail, says the message after a key, again on 2, and ends with key 1', async () => {
  await stack.sim.script(userPhone, {
    outcome: 'voicemail',
    answerAfterMs: 50,
    hangUp: { after: 'words', ms: 800 },
  });
  await stack.sim.script(mentorPhone, {
    answerAfterMs: 50,
    keys: [{ when: 'greeting', press: '1', afterMs: 20 }],
  });
  const alertId = await alerted();
  const speaking = await legOf(stack, mentorPhone, (leg) => heard(leg).includes('press 2'));
  await stack.sim.press(mentorPhone, '2');
  await legOf(stack, mentorPhone, (leg) => heard(leg).split(messageWords).length === 3);
  await stack.sim.press(mentorPhone, '1');
  const alert = await ended(alertId);
  expect(alert).toMatchObject({
    state: 'acknowledged',
    endReason: 'acknowledged-by-key',
    reached: { position: 2 },
    recipients: [{ lastOutcome: 'no-key' }, { position: 2 }],
  });
  const [voicemail] = await rings(stack, userPhone);
  expect(heard(voicemail)).toContain('a message for you');
  expect(heard(voicemail)).not.toContain(messageWords);
  const quiet = await legOf(stack, mentorPhone, (leg) => leg.endedAt !== null);
  expect(heard(quiet)).toContain('We have noted that you have heard it');
  expect(await rings(stack, userPhone)).toHaveLength(1);
  const whole = await eventually(async () => {
    const { body } = await stack.api(`/alerts/voice/${alertId}`, {}, who);
    expect(body.calls).toMatchObject([
      { position: 1, status: 'no-key' },
      { position: 2, status: 'acknowledged', callSid: speaking.sid },
    ]);
    return body;
  });
  expect(JSON.stringify(whole)).not.toContain(userPhone);
  await eventually(async () => {
    const { rows } = await stack.pool.query(
      `SELECT r.destroyed_at IS NOT NULL AS gone FROM voice_alert_recipients a JOIN vault_records r USING (record_id)
        WHERE alert_id = $1`,
      [alertId],
    );
    expect(rows).toEqual([{ gone: true }, { gone: true }]);
  });
});

it('leaves no phone ringing when it is cancelled', async () => {
  await stack.sim.script(userPhone, { outcome: 'no-answer' });
  const alertId = await alerted();
  await legOf(stack, userPhone, (leg) => leg.endedAt === null);
  const { status, body } = await stack.api(`/alerts/voice/${alertId}`, { method: 'DELETE' }, who);
  expect({ status, body }).toMatchObject({ status: 200, body: { state: 'cancelled' } });
  expect((await rings(stack, userPhone)).every((leg) => leg.endedAt !== null)).toBe(true);
  expect(await rings(stack, mentorPhone)).toEqual([]);
});

it('texts everybody the same words when nobody has pressed a key', async () => {
  await stack.sim.script(userPhone, { outcome: 'busy' });
  await stack.sim.script(mentorPhone, { outcome: 'decline', answerAfterMs: 50 });
  const alertId = await alerted({ smsWhenExhausted: true, attempts: 2, messageClass: 'safety' });
  const alert = await ended(alertId);
  expect(alert).toMatchObject({ state: 'exhausted', endReason: 'nobody-reached-texted' });
  expect(await rings(stack, mentorPhone)).toHaveLength(2);
  await eventually(async () => {
    for (const phone of [userPhone, mentorPhone]) {
      const texts = await stack.sim.texts(phone);
      expect(texts.filter(({ body }) => body.includes(messageWords))).toHaveLength(1);
    }
  });
});
