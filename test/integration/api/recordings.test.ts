import { randomUUID } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { openCall } from '../../../db/calls';
import { ensureDispatch } from '../../../db/dispatches';
import { inTransaction } from '../../../db/pool';
import { deleteSoon } from '../../../db/recording-deletion';
import { noteRecordingCosts } from '../../../db/recording-costs';
import { noteAgreement } from '../../../db/recordings';
import { createSubject } from '../../../db/subjects';
import { createMentor } from '../../../db/mentors';
import { SealedValue } from '../../../domain/sealed';
import { parsePhoneNumber } from '../../../domain/phone-number';
import { promptsFor, SPOKEN_LANGUAGES } from '../../../domain/prompts';
import { MARKED } from '../../marked-people';
import { ApiUnderTest, callInput, CONSENT, newCallSid } from './api-under-test';

let api: ApiUnderTest;
let mentorId = '';
beforeAll(async () => {
  api = await ApiUnderTest.start({ CALL_RECORDING: 'on' });
  const { pool, vault, tokenizer } = api.deps;
  const subjectId = await createSubject(pool, 'system');
  const seal = (kind: 'name' | 'phone', value: string) =>
    vault.seal({ subjectId, kind, value: SealedValue.of(kind, value) });
  const mentor = {
    subjectId,
    nameRecordId: await seal('name', MARKED.mentorName),
    phoneRecordId: await seal('phone', MARKED.mentorPhone),
    phoneToken: tokenizer.token(parsePhoneNumber(MARKED.mentorPhone).e164),
    country: 'US',
    specialties: [],
    languages: ['en'],
    zone: 'UTC',
    available: true,
    maxConcurrentCalls: 1,
    windows: [],
  };
  mentorId = (await createMentor(pool, mentor, 'system')).mentorId;
});
afterAll(() => api.stop());

const admin = { role: 'admin' } as const;
const WITH_RECORDING = { textVersion: '2026-11-recording', language: 'en' } as const;

/** A call with a recording that both agreed to, and its callback. */
async function recorded() {
  const { pool, vault } = api.deps;
  const userId = await createSubject(pool, 'system');
  const recordId = await vault.seal({
    subjectId: userId,
    kind: 'phone',
    value: SealedValue.of('phone', MARKED.userPhone),
  });
  const input = callInput(userId, recordId, { recording: true });
  await openCall(pool, input, { perUser: 1_000, perTarget: 1_000 });
  const { callId } = input;
  const [recordingId, callSid] = [randomUUID(), newCallSid()];
  const dispatch = { dispatchId: recordingId, businessKey: `mentor-call:${callId}:recording:1`, callId };
  const more = {
    workflowId: `mentor-call:${callId}`,
    sender: '+14155550100',
    country: 'US',
    channel: 'recording',
  } as const;
  await ensureDispatch(pool, { ...dispatch, ...more, recipientToken: input.recipientToken });
  const agreed = { recordingId, callId, step: 1, callSid, userId, mentorId, country: 'US' };
  await inTransaction(pool, (tx) => noteAgreement(tx, agreed));
  const tell = (sid: string, status: string, seconds?: string) =>
    api.twilio(`/recording-status?call=${callId}&recording=${recordingId}`, {
      CallSid: callSid,
      RecordingSid: sid,
      RecordingStatus: status,
      RecordingUrl: `https://api.twilio.com/2010-04-01/Accounts/AC/Recordings/${sid}`,
      ...(seconds === undefined ? {} : { RecordingDuration: seconds }),
    });
  return { callId, recordingId, tell, sid: newRecordingSid() };
}
const newRecordingSid = () => `RE${newCallSid().slice(2)}`;
const listOf = (callId: string, query = '') =>
  api.ask('GET', `/mentor-calls/${callId}/recordings${query}`, { who: admin });
const linkOf = (callId: string, recordingId: string) =>
  api.ask('POST', `/mentor-calls/${callId}/recordings/${recordingId}/link`, { who: admin });
const actionsOn = async (objectId: string) => {
  const text = 'SELECT action, actor, outcome FROM audit_entries WHERE object_id = $1 ORDER BY at, action';
  return (await api.database.owner.query(text, [objectId])).rows;
};
const pathOf = (url: string) => new URL(url).pathname;

describe('a request for a recorded call', () => {
  const ask = (json: object, headers: Record<string, string> = {}, to = api) =>
    to.ask('POST', '/connect-mentor', { who: { role: 'user' }, json, raw: { headers } });
  const body = { userPhoneNumber: MARKED.userPhone, consent: WITH_RECORDING, recording: true };

  test('is taken with consent to a text that says so, and starts a workflow that knows of it', async () => {
    expect((await ask(body)).status).toBe(202);
    expect(api.process.started.at(-1)).toMatchObject({ recording: true, consent: WITH_RECORDING });
  });

  test('is refused with consent to a text that says the opposite, and starts nothing', async () => {
    const before = await api.footprint();
    const answer = await ask({ ...body, consent: CONSENT });
    expect(answer).toMatchObject({ status: 422, body: { code: 'consent-required' } });
    expect(answer.body.errors[0].pointer).toBe('#/consent');
    expect(await api.footprint()).toEqual(before);
  });

  test('whose text allows it and whose wish does not is a call that nobody is asked to record', async () => {
    expect((await ask({ ...body, recording: false })).status).toBe(202);
    expect(api.process.started.at(-1)).not.toHaveProperty('recording');
  });

  test('is refused where nothing is recorded, which shows no text for it either', async () => {
    const off = await ApiUnderTest.start();
    const answer = await ask(body, {}, off);
    expect(answer).toMatchObject({ status: 409, body: { code: 'recording-off', helplines: expect.anything() } });
    expect(off.process.started).toEqual([]);
    const texts = await off.ask('GET', '/consent-texts/mentor-call?recording=true');
    expect(texts.body.texts).toEqual([]);
    await off.stop();
  });

  test('finds its texts beside the others, which stay what they were', async () => {
    const texts = async (query: string) => (await api.ask('GET', `/consent-texts/mentor-call${query}`)).body.texts;
    expect(await texts('?recording=true')).toContainEqual(expect.objectContaining(WITH_RECORDING));
    for (const query of ['', '?recording=false']) {
      expect(await texts(query)).toContainEqual(expect.objectContaining(CONSENT));
      expect(await texts(query)).not.toContainEqual(expect.objectContaining(WITH_RECORDING));
    }
    expect((await api.ask('GET', '/consent-texts/mentor-call?recording=perhaps')).status).toBe(400);
  });
});

describe('a mentor of a call that the user lets be recorded', () => {
  const fromUs = { From: '+14155550100', To: MARKED.mentorPhone, CallStatus: 'in-progress' };
  const confirm = async (rec: string, more: Record<string, string>) => {
    const before = api.process.asked.length;
    const url = `/twiml/mentor-confirm?call=${randomUUID()}&n=2&rec=${rec}&lang=en`;
    const { text } = await api.twilio(url, { ...fromUs, CallSid: newCallSid(), ...more });
    return { text, asked: api.process.asked.slice(before).map(({ question }) => question) };
  };

  test('is asked by a key of its own, after key 1 and before the workflow', async () => {
    const whisper = await api.twilio(`/twiml/mentor-whisper?call=${randomUUID()}&n=2&rec=ask&lang=en`, fromUs);
    expect(whisper.text).toContain('rec=ask');
    expect(whisper.text).not.toMatch(/record/i);
    const { text, asked } = await confirm('ask', { Digits: '1' });
    expect(text).toMatch(/would be recorded.*press 1.*press 2/);
    expect(text).toContain('rec=answer');
    expect(text).toMatch(/<\/Gather><Hangup\/><\/Response>$/);
    expect(asked).toEqual([]);
  });

  test('without key 1 is not asked', async () => {
    expect((await confirm('ask', {})).text).not.toMatch(/record/);
    expect((await confirm('ask', { Digits: '' })).asked).toEqual([]);
  });

  test.each([
    ['1', true],
    ['2', false],
    ['', false],
    ['9', false],
  ])('answers by key "%s": recorded %s, and the bridge goes on', async (Digits, isRecorded) => {
    api.process.plan = { do: 'bridge', isRecorded };
    const { text, asked } = await confirm('answer', { Digits });
    expect(asked).toMatchObject([{ kind: 'mentor-answered', step: 2, digits: '1', recording: isRecorded }]);
    expect(text).toContain(isRecorded ? 'this call is recorded' : 'This call is not recorded');
    expect(text).not.toContain('Hangup');
  });

  test('who hangs up at the question is not connected', async () => {
    const { text, asked } = await confirm('answer', { CallStatus: 'completed' });
    expect(text).toContain('<Hangup/>');
    expect(asked).toEqual([]);
  });

  test('is asked again with the same answer when the workflow does not answer in time', async () => {
    api.process.down = new Error('Temporal is down');
    const { text } = await confirm('answer', { Digits: '1' });
    api.process.down = null;
    expect(text).toMatch(/rec=answer[^<]*loop=1[^<]*digits=1/);
  });

  test('is dialled with the question, and the user is told, in every language', async () => {
    for (const lang of SPOKEN_LANGUAGES) {
      const { pool } = api.deps;
      const { rows } = await pool.query('SELECT phone_record_id FROM mentors WHERE mentor_id = $1', [mentorId]);
      api.process.plan = {
        do: 'dial-mentor',
        step: 1,
        mentorId,
        mentorRecordId: rows[0].phone_record_id,
        callerId: '+14155550100',
        ringSeconds: 20,
        confirmSeconds: 15,
        timeLimitSeconds: 3_600,
        words: 'first',
        mayBeRecorded: true,
      };
      const ids = `call=${randomUUID()}&dispatch=${randomUUID()}&step=confirmed&try=1&lang=${lang}`;
      const user = { From: '+14155550100', To: MARKED.userPhone, CallStatus: 'in-progress', Digits: '1' };
      const { text } = await api.twilio(`/twiml/connect-mentor?${ids}`, { ...user, CallSid: newCallSid() });
      expect(text).toContain(promptsFor(lang).confirmed.mayBeRecorded);
      expect(text).toMatch(/mentor-whisper[^"]*rec=ask/);
      expect(text).not.toMatch(/<Dial[^>]* record=/);
    }
  });
});

describe('a callback of a recording', () => {
  test('is stored without its address, and tells how it goes', async () => {
    const { callId, recordingId, tell, sid } = await recorded();
    expect((await tell(sid, 'in-progress')).status).toBe(204);
    expect((await listOf(callId)).body.recordings).toMatchObject([
      { recordingId, state: 'in-progress', endedAt: null },
    ]);
    await tell(sid, 'completed', '61');
    expect((await listOf(callId)).body.recordings).toMatchObject([{ state: 'completed', durationSeconds: 61 }]);
    const { rows } = await api.database.owner.query(`SELECT w::text AS row FROM webhook_events w WHERE sid = $1`, [
      sid,
    ]);
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows)).not.toMatch(/https?:/);
  });

  test('that comes late or twice changes nothing any more', async () => {
    const { callId, tell, sid } = await recorded();
    await tell(sid, 'completed', '5');
    await tell(sid, 'in-progress');
    await tell(sid, 'completed', '9');
    await tell(sid, 'absent');
    expect((await listOf(callId)).body.recordings).toMatchObject([{ state: 'completed', durationSeconds: 5 }]);
  });

  test('of a second recording of the same conversation has that deleted', async () => {
    const { callId, tell, sid } = await recorded();
    await tell(sid, 'in-progress');
    await tell(newRecordingSid(), 'in-progress');
    const states = (await listOf(callId)).body.recordings.map(({ state }: { state: string }) => state);
    expect(states.toSorted()).toEqual(['deleting', 'in-progress']);
  });

  test('that makes no sense changes nothing', async () => {
    const { tell } = await recorded();
    const before = await api.footprint();
    for (const [sid, status] of [
      ['RE1', 'completed'],
      [newRecordingSid(), 'done'],
    ] as const) {
      expect((await tell(sid, status)).status).toBe(204);
    }
    const nobodys = await api.twilio(`/recording-status?call=${randomUUID()}&recording=1`, {
      RecordingSid: newRecordingSid(),
      RecordingStatus: 'completed',
    });
    expect(nobodys.status).toBe(204);
    expect(await api.footprint()).toEqual(before);
  });

  test('can be handed over once more', async () => {
    const { callId, tell, sid } = await recorded();
    await tell(sid, 'completed', '7');
    const { rows } = await api.database.owner.query('SELECT event_id FROM webhook_events WHERE sid = $1', [sid]);
    const replayed = await api.ask('POST', `/webhook-events/${rows[0].event_id}/replay`, { who: admin });
    expect(replayed).toMatchObject({ status: 200, body: { result: 'handled' } });
    expect((await listOf(callId)).body.recordings).toMatchObject([{ state: 'completed', durationSeconds: 7 }]);
  });
});

describe('the recordings of a call', () => {
  test('are a page at a time, and that an admin looked is kept', async () => {
    const { callId, tell, sid } = await recorded();
    await tell(sid, 'in-progress');
    await tell(newRecordingSid(), 'in-progress');
    const first = await listOf(callId, '?limit=1');
    const second = await listOf(callId, `?limit=1&cursor=${first.body.nextCursor}`);
    expect([first, second].map(({ body }) => body.recordings.length)).toEqual([1, 1]);
    expect(second.body.nextCursor).toBeNull();
    expect(first.body.recordings[0].recordingId).not.toBe(second.body.recordings[0].recordingId);
    expect((await actionsOn(callId)).filter(({ action }) => action === 'call-recording.read')).toHaveLength(2);
    expect((await listOf(randomUUID())).status).toBe(404);
  });

  test('cost what they last, and are noted once', async () => {
    const { tell, sid } = await recorded();
    await tell(sid, 'completed', '61');
    await noteRecordingCosts(api.deps.pool, 500);
    await noteRecordingCosts(api.deps.pool, 500);
    const text = 'SELECT kind, country, units, amount_micro::int AS micro, is_estimate FROM costs WHERE item = $1';
    const { rows } = await api.database.owner.query(text, [sid]);
    expect(rows).toEqual([{ kind: 'recording', country: 'US', units: 2, micro: 6_000, is_estimate: true }]);
  });
});

describe('a link to a recording', () => {
  const sound = Buffer.from('a sound that is nobody’s');
  const heard = (stream: Readable = Readable.from([sound]), length: number | null = sound.length) => {
    api.recordings.onOpen = async () => ({ stream, contentType: 'audio/mpeg', length });
  };
  const completed = async () => {
    const made = await recorded();
    await made.tell(made.sid, 'completed', '5');
    return made;
  };
  const link = async () => {
    const { callId, recordingId, sid } = await completed();
    const { status, body } = await linkOf(callId, recordingId);
    expect(status).toBe(201);
    return { callId, recordingId, sid, url: String(body.url), expiresAt: String(body.expiresAt) };
  };
  const open = (url: string, method = 'GET', headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${api.port}${pathOf(url)}`, { method, headers });

  test('opens once, for five minutes, and what was heard is in the audit trail', async () => {
    heard();
    const { url, recordingId, sid, expiresAt } = await link();
    expect(url).toMatch(/^https:\/\/api\.example\.org\/recordings\/[\w-]{64}$/);
    expect(Math.abs(Date.parse(expiresAt) - Date.now() - 300_000)).toBeLessThan(20_000);
    const answer = await open(url, 'GET', { Range: 'bytes=0-3' });
    expect(answer.status).toBe(200);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'audio/mpeg',
      'content-length': String(sound.length),
      'content-disposition': `attachment; filename="recording-${recordingId}.mp3"`,
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      'accept-ranges': 'none',
    });
    expect(Buffer.from(await answer.arrayBuffer()).equals(sound)).toBe(true);
    expect(api.recordings.opened.at(-1)?.sid).toBe(sid);
    const again = await open(url);
    expect(again.status).toBe(410);
    expect(await again.json()).toMatchObject({ code: 'link-over' });
    const actions = (await actionsOn(recordingId)).map(({ action }) => action);
    expect(actions.filter((action) => /link-made|opened/.test(action))).toEqual([
      'call-recording.link-made',
      'call-recording.opened',
    ]);
  });

  test('is nowhere but in the answer that gave it', async () => {
    heard();
    const { url } = await link();
    await (await open(url)).arrayBuffer();
    const token = pathOf(url).split('/').at(-1) ?? '';
    expect(token).toHaveLength(64);
    expect(api.logLines.join('')).not.toContain(token);
    expect(api.logLines.join('')).toContain('/recordings/:token');
    const { rows } = await api.database.owner.query('SELECT l::text AS row FROM recording_links l');
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  test('opened twice at the same moment is heard once', async () => {
    heard();
    const { url } = await link();
    const answers = await Promise.all([open(url), open(url), open(url)]);
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 410, 410]);
  });

  test('does not open after its time, nor for what is no link', async () => {
    heard();
    const { url } = await link();
    await api.database.owner.query(`UPDATE recording_links SET expires_at = now() - interval '1 second'`);
    expect((await open(url)).status).toBe(410);
    for (const token of ['x', 'x'.repeat(64), `${'x'.repeat(63)}%27`]) {
      expect((await api.ask('GET', `/recordings/${token}`)).status).toBe(410);
    }
  });

  test('is not used up by a look whether it is there', async () => {
    heard();
    const { url } = await link();
    expect((await open(url, 'HEAD')).status).toBe(405);
    expect((await open(url)).status).toBe(200);
  });

  test('opens once more when Twilio did not answer', async () => {
    const { url, recordingId } = await link();
    api.recordings.onOpen = () => Promise.reject(new Error('provider down'));
    const answer = await api.ask('GET', pathOf(url));
    expect(answer).toMatchObject({ status: 503, body: { code: 'temporarily-unavailable' } });
    heard();
    expect((await open(url)).status).toBe(200);
    const opened = (await actionsOn(recordingId)).filter(({ action }) => action === 'call-recording.opened');
    expect(opened.map(({ outcome }) => outcome)).toEqual(['done', 'failed', 'done']);
  });

  test('leads to nothing once the recording is gone, or going', async () => {
    const gone = await link();
    api.recordings.onOpen = async () => null;
    expect((await api.ask('GET', pathOf(gone.url))).status).toBe(410);
    heard();
    const going = await link();
    await deleteSoon(api.deps.pool, going.recordingId, 'erased');
    expect((await api.ask('GET', pathOf(going.url))).status).toBe(410);
    expect(await linkOf(going.callId, going.recordingId)).toMatchObject({
      status: 409,
      body: { code: 'recording-not-there' },
    });
  });

  test('is not made for what goes on, has no sound, or belongs to another call', async () => {
    const running = await recorded();
    await running.tell(running.sid, 'in-progress');
    const silent = await recorded();
    await silent.tell(silent.sid, 'absent');
    for (const { callId, recordingId } of [running, silent]) {
      expect((await linkOf(callId, recordingId)).body.code).toBe('recording-not-there');
    }
    const other = await completed();
    expect((await linkOf(running.callId, other.recordingId)).status).toBe(404);
  });

  test('is made when only Twilio knows that the recording is over', async () => {
    const { callId, recordingId, tell, sid } = await recorded();
    await tell(sid, 'in-progress');
    const common = { sid, dateCreated: new Date(), isAskedFor: true, isEncrypted: false, price: null };
    api.recordings.onRead = async () => ({ ...common, status: 'completed', durationSeconds: 12 });
    expect((await linkOf(callId, recordingId)).status).toBe(201);
    expect((await listOf(callId)).body.recordings).toMatchObject([{ state: 'completed', durationSeconds: 12 }]);
  });

  test('ends at Twilio when its listener goes, and takes no more than they take', async () => {
    let read = 0;
    // Without end: only a listener who goes can stop it.
    const endless = new Readable({
      highWaterMark: 1_024,
      read() {
        read += 1;
        this.push(Buffer.alloc(64_000));
      },
    });
    heard(endless, null);
    const { url } = await link();
    const closed = new Promise<void>((resolve) => endless.on('close', () => resolve()));
    const listener = request(`http://127.0.0.1:${api.port}${pathOf(url)}`);
    const answered = new Promise<void>((resolve) =>
      listener.on('response', (answer) => {
        answer.pause();
        resolve();
      }),
    );
    listener.on('error', () => undefined);
    listener.end();
    await answered;
    // It stands still once the buffers on the way are full.
    let before = -1;
    while (before !== read) {
      before = read;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(read * 64_000).toBeLessThan(20_000_000);
    listener.destroy();
    await closed;
    expect(api.recordings.opened.at(-1)?.signal.aborted).toBe(true);
  });
});
