import { randomUUID } from 'node:crypto';
import AccessToken from 'twilio/lib/jwt/AccessToken';
import { mentorCallWorkflowId } from '../../../domain/mentor-call';
import { ORGANISATION_NUMBERS } from '../../../scripts/services';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { published } from '../clients/published-client';
import { AppUser, addMentor, contractViolations, heldSlots, legOf, READY_MENTOR, removeMentor, rings } from './people';

const { userPhone, mentorPhone } = MARKED;
const ours: readonly string[] = ORGANISATION_NUMBERS;
const AGREED = 'textVersion=app-2026-11&language=en';

let stack: TestStack;
let mentorId = '';
beforeAll(async () => {
  stack = await startStack();
});
afterAll(async () => {
  await stack.stop();
});

beforeEach(async () => {
  await stack.sim.reset();
  await stack.sim.settings({ wordMs: 2 });
  mentorId = await addMentor(stack, mentorPhone);
  await stack.sim.script(mentorPhone, READY_MENTOR);
});
afterEach(async () => {
  expect(await contractViolations(stack)).toEqual([]);
  await removeMentor(stack, mentorId);
  await eventually(async () => expect(await heldSlots(stack)).toBe(0));
});

/** Somebody with our app and without any number of theirs. */
class InAppUser extends AppUser {
  client = '';
  callSid = '';

  constructor() {
    super(stack, '');
  }

  async token(query = AGREED): Promise<string> {
    const { status, text } = await stack.api(`/voice-token?${query}`, {}, this.who);
    if (status !== 200) throw new Error(`no token: ${status} ${text}`);
    return text;
  }

  /** Taps "call". */
  async call(token: string, params?: Record<string, string>): Promise<void> {
    const { sid, number } = await stack.sim.callFromApp(token, params);
    [this.callSid, this.client] = [sid, number];
  }

  /** An app knows its call by the SDK's CallSid, and finds it in the list of its calls. */
  async found(): Promise<void> {
    await eventually(async () => {
      const { body } = await stack.api('/mentor-calls', {}, this.who);
      const mine = body.mentorCalls.find((call: { callSid: string }) => call.callSid === this.callSid);
      if (mine === undefined) throw new Error('the call is not in the list');
      this.callId = mine.callId;
    });
  }

  async heard(words: string): Promise<void> {
    await eventually(async () => {
      const { calls } = await stack.sim.handset(this.client);
      if (calls[0]?.heard.some((each) => each.includes(words)) !== true) throw new Error(`has not heard: ${words}`);
    });
  }

  async leg() {
    return (await stack.sim.ledger()).find(({ sid }) => sid === this.callSid);
  }
}

const vaultRecords = async () =>
  (await stack.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM vault_records WHERE kind = 'phone'`)).rows[0]
    ?.n;

describe('a call from the app', () => {
  it('connects a user who has no number with a mentor, by the same workflow, and makes no vault record', async () => {
    const user = new InAppUser();
    const token = await user.token();
    const before = await vaultRecords();
    await user.call(token);
    await user.found();
    await user.status('connected');
    const mentorLeg = await legOf(stack, mentorPhone, (leg) => leg.bridgedAt !== null);
    expect(ours).toContain(mentorLeg.from);
    expect((await user.leg())?.bridgedWith).toEqual([mentorLeg.sid]);
    await stack.sim.hangUp(user.client);
    expect(await user.end()).toMatchObject({ status: 'completed', endReason: 'bridge-over', mentorId });
    expect(await vaultRecords()).toBe(before);
    const { rows } = await stack.pool.query(
      'SELECT way_in, record_id, recipient_token, consent_version, call_sid FROM call_logs WHERE call_id = $1',
      [user.callId],
    );
    expect(rows).toEqual([
      { way_in: 'app', record_id: null, recipient_token: null, consent_version: 'app-2026-11', call_sid: user.callSid },
    ]);
    const { workflowExecutionInfo } = await stack.temporal.workflowService.describeWorkflowExecution({
      namespace: stack.temporalAddress.namespace,
      execution: { workflowId: mentorCallWorkflowId(user.callId) },
    });
    expect(workflowExecutionInfo?.type?.name).toBe('mentorCall');
    expect((await stack.sim.ledger()).every(({ direction }) => direction !== 'outbound-api')).toBe(true);
    for (const log of Object.values(stack.logs())) expect(log).not.toContain(token);
  });

  it('asks somebody who has agreed to nothing yet, and goes on by key 1', async () => {
    const user = new InAppUser();
    await user.call(await user.token('country=US'));
    await user.heard('To agree and go on, press 1.');
    expect(await rings(stack, mentorPhone)).toEqual([]);
    await stack.sim.press(user.client, '1');
    await user.found();
    await user.status('connected');
    await stack.sim.hangUp(user.client);
    await user.end();
  });

  it('is led to the helpline when no mentor answers, and ends as that', async () => {
    await stack.sim.script(mentorPhone, { outcome: 'busy' });
    const user = new InAppUser();
    await user.call(await user.token());
    await user.found();
    await user.status('helpline');
    await legOf(stack, '988', (leg) => leg.bridgedAt !== null);
    await stack.sim.hangUp(user.client);
    expect(await user.end()).toMatchObject({ status: 'fallback-completed', endReason: 'helpline-over' });
  });

  it('is hung up when the user cancels it through the API', async () => {
    await stack.sim.script(mentorPhone, {});
    const user = new InAppUser();
    await user.call(await user.token());
    await user.found();
    await user.status('finding-mentor');
    expect((await user.cancel()).body).toMatchObject({ status: 'cancelled', endReason: 'cancelled-by-user' });
    await eventually(async () => expect((await user.leg())?.endedAt).not.toBeNull());
  });

  it('is no second call beside one to the user’s phone: they are told to go on with that', async () => {
    const user = new InAppUser();
    const byPhone = new AppUser(stack, userPhone);
    Object.assign(byPhone, { who: user.who });
    await byPhone.start();
    await legOf(stack, userPhone, (leg) => leg.ringingAt !== null);
    await user.call(await user.token());
    await user.heard('You already have a call with us.');
    expect(await rings(stack, mentorPhone)).toEqual([]);
    await byPhone.cancel();
  });
});

describe('an app made of the code of its guide', () => {
  const PAGE = 'in-app-voice.md';

  it('calls a mentor with the consent that was shown, finds its call, and signs out', async () => {
    const user = new InAppUser();
    // oxlint-disable-next-line typescript/no-explicit-any -- the page's code is typed by the page
    const app = published(PAGE, fetch) as any;
    const session = { baseUrl: stack.apiUrl, accessToken: () => stack.token('user', user.who.subject) };
    const sdk = {
      connect: async (token: string, params: Record<string, string>) => {
        await user.call(token, params);
        return { sid: () => user.callSid, disconnect: () => stack.sim.hangUp(user.client) };
      },
    };
    const call = await app.callMentor(session, sdk, { textVersion: 'app-2026-11', language: 'en' }, 'US');
    user.callId = await eventually(async () => {
      const id = await app.callIdOf(session, call);
      if (id === null) throw new Error('not there yet');
      return id;
    });
    await user.status('connected');
    await call.disconnect();
    expect(await user.end()).toMatchObject({ status: 'completed' });
    await app.signOut(session);
    const { rows } = await stack.pool.query('SELECT 1 FROM voice_identities WHERE identity = $1', [
      user.client.replace('client:', ''),
    ]);
    expect(rows).toEqual([]);
  });

  it('gets its token at the phones page from the service beside it', async () => {
    const answer = await fetch(`${stack.sim.baseUrl}/app/token`, { method: 'POST' });
    const { token } = (await answer.json()) as { token: string };
    const { number } = await stack.sim.callFromApp(token);
    expect(number).toMatch(/^client:[0-9a-f]{64}$/);
    await stack.sim.hangUp(number);
  });
});

describe('a token that is no good (row 8)', () => {
  /** As the service signs them; every part can be another. */
  const made = ({
    identity = 'f0'.repeat(32),
    secret = stack.env.TWILIO_API_SECRET,
    incoming = true,
    ttl = 600,
  } = {}) => {
    const { TWILIO_ACCOUNT_SID: account = '', TWILIO_API_KEY: key = '', TWIML_APP_SID: app = '' } = stack.env;
    const token = new AccessToken(account, key, secret ?? '', { identity, ttl });
    token.addGrant(new AccessToken.VoiceGrant({ outgoingApplicationSid: app, incomingAllow: incoming }));
    return token.toJwt();
  };
  const calls = async () =>
    (await stack.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM call_logs WHERE way_in = 'app'`)).rows[0]?.n;

  it('is not taken by Twilio when it has expired, or another key signed it', async () => {
    await expect(stack.sim.callFromApp(made({ ttl: -1 }))).rejects.toThrow('20104');
    await expect(stack.sim.callFromApp(made({ secret: randomUUID() }))).rejects.toThrow('20107');
  });

  it('of an identity that we have given to nobody is rejected: not answered, and no call of ours', async () => {
    const before = await calls();
    const user = new InAppUser();
    await user.call(made());
    await eventually(async () => expect(await user.leg()).toMatchObject({ status: 'no-answer', spoke: false }));
    expect(await calls()).toBe(before);
  });

  it('of a user who has signed out meanwhile is rejected', async () => {
    const user = new InAppUser();
    const token = await user.token();
    expect((await stack.api('/voice-token', { method: 'DELETE' }, user.who)).status).toBe(204);
    const before = await calls();
    await user.call(token);
    await eventually(async () => expect(await user.leg()).toMatchObject({ status: 'no-answer', spoke: false }));
    expect(await calls()).toBe(before);
  });

  it('is rejected for whatever else than a mentor it calls', async () => {
    const user = new InAppUser();
    await user.call(await user.token(), { To: userPhone });
    await eventually(async () => expect(await user.leg()).toMatchObject({ status: 'no-answer', spoke: false }));
    expect(await rings(stack, userPhone)).toEqual([]);
  });

  it('with incoming calls disabled signs no device in to be called; one of the service does', async () => {
    await expect(stack.sim.registerApp(made({ incoming: false }))).rejects.toThrow('20106');
    await expect(stack.sim.registerApp(await new InAppUser().token())).resolves.toBeDefined();
  });
});
