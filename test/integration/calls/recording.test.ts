import { ORGANISATION_NUMBERS } from '../../../scripts/services';
import { RETENTION } from '../../../domain/retention';
import { RETENTION_SWEEP_SCHEDULE } from '../../../temporal/schedule-ids';
import { MARKED } from '../../marked-people';
import { PATIENCE_MS } from '../../patience';
import { eventually, startStack, type TestStack } from '../../stack';
import { addMentor, AppUser, contractViolations, legOf, READY_USER } from './people';

const { userPhone, mentorPhone } = MARKED;
const ADMIN = { role: 'admin', subject: 'an-admin' } as const;
/** Takes the call, and agrees to what is asked then. */
const AGREEING_MENTOR = { answerAfterMs: 50, keys: [{ when: 'gather', press: '1', afterMs: 20 }] };

let stack: TestStack;
beforeAll(async () => {
  stack = await startStack({ env: { CALL_RECORDING: 'on' } });
  await stack.sim.settings({ wordMs: 2 });
});
afterAll(() => stack.stop(), 60_000);

describe('a conversation that both agree to', () => {
  it('is recorded, announced to both, heard once by an admin, and deleted at Twilio', async () => {
    await addMentor(stack, mentorPhone);
    const user = new AppUser(stack, userPhone);
    await stack.sim.script(userPhone, READY_USER);
    await stack.sim.script(mentorPhone, AGREEING_MENTOR);
    const { body: shown } = await stack.api('/consent-texts/mentor-call?recording=true');
    const { textVersion, language } = shown.texts[0];
    await user.start({ recording: true, consent: { textVersion, language } });
    await user.status('connected');
    for (const phone of [userPhone, mentorPhone]) {
      await eventually(async () => {
        expect((await stack.sim.handset(phone)).calls[0]).toMatchObject({ state: 'bridged', recorded: true });
      });
    }
    const userLeg = await legOf(stack, userPhone, (leg) => leg.bridgedAt !== null);
    const mentorLeg = await legOf(stack, mentorPhone, (leg) => leg.bridgedAt !== null);
    expect(userLeg.heard.join(' ')).toMatch(/If your mentor agrees too, your conversation will be recorded/);
    expect(mentorLeg.heard[0]).not.toMatch(/record/i);
    expect(mentorLeg.heard.join(' ')).toMatch(/would be recorded.*this call is recorded/);
    expect(mentorLeg.pressed).toEqual(['1', '1']);
    expect(ORGANISATION_NUMBERS).toContain(mentorLeg.from);

    await stack.sim.hangUp(userPhone);
    await user.end();
    const path = `/mentor-calls/${user.callId}/recordings`;
    const recording = await eventually(async () => {
      const { body } = await stack.api(path, {}, ADMIN);
      expect(body.recordings).toMatchObject([{ state: 'completed' }]);
      return body.recordings[0];
    });
    const [atTwilio, ...more] = await stack.sim.recordings();
    expect(more).toEqual([]);
    expect(atTwilio).toMatchObject({ callSid: userLeg.sid, seconds: recording.durationSeconds });

    const { body: link } = await stack.api(`${path}/${recording.recordingId}/link`, { method: 'POST' }, ADMIN);
    const token = new URL(link.url).pathname;
    const heard = await fetch(`${stack.apiUrl}${token}`);
    expect(heard).toMatchObject({ status: 200 });
    expect(heard.headers.get('content-type')).toBe('audio/mpeg');
    expect(
      Buffer.from(await heard.arrayBuffer())
        .subarray(0, 2)
        .toString('hex'),
    ).toBe('fffb');
    expect((await stack.api(token)).status).toBe(410);

    // What is kept of it: no sound, no address, and the link in no log.
    const logs = Object.values(stack.logs()).join('\n');
    expect(logs).not.toContain(token.split('/').at(-1));
    const { rows } = await stack.pool.query(
      `SELECT r::text AS row FROM call_recordings r UNION ALL SELECT w::text FROM webhook_events w WHERE type = 'recording-status'`,
    );
    expect(JSON.stringify(rows)).not.toMatch(/https?:/);

    const age = `UPDATE call_recordings SET agreed_at = agreed_at - $1 * interval '1 millisecond'`;
    await stack.pool.query(age, [RETENTION.recording + 60_000]);
    await eventually(
      async () => {
        // A sweep that is under way swallows the trigger.
        await stack.temporal.schedule.getHandle(RETENTION_SWEEP_SCHEDULE).trigger();
        expect(await stack.sim.recordings()).toEqual([]);
      },
      PATIENCE_MS,
      1_000,
    );
    await eventually(async () => {
      const { body } = await stack.api(path, {}, ADMIN);
      expect(body.recordings).toMatchObject([{ state: 'deleted', deletedAt: expect.any(String) }]);
    });
    expect(await contractViolations(stack)).toEqual([]);
  });

  it('is not recorded when the mentor presses 2, and goes on', async () => {
    await stack.sim.reset();
    await stack.sim.settings({ wordMs: 2 });
    const user = new AppUser(stack, userPhone);
    await stack.sim.script(userPhone, READY_USER);
    await stack.sim.script(mentorPhone, {
      answerAfterMs: 50,
      keys: [
        { when: 'to take it', press: '1', afterMs: 20 },
        { when: 'would be recorded', press: '2', afterMs: 20 },
      ],
    });
    await user.start({ recording: true, consent: { textVersion: '2026-11-recording', language: 'en' } });
    await user.status('connected');
    const mentorLeg = await legOf(stack, mentorPhone, (leg) => leg.bridgedAt !== null);
    expect(mentorLeg.heard.join(' ')).toMatch(/This call is not recorded/);
    await stack.sim.hangUp(userPhone);
    expect(await user.end()).toMatchObject({ status: 'completed' });
    expect(await stack.sim.recordings()).toEqual([]);
    const { body } = await stack.api(`/mentor-calls/${user.callId}/recordings`, {}, ADMIN);
    expect(body.recordings).toEqual([]);
  });
});
