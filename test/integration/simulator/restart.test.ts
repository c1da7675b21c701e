import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, MENTOR, OURS, POOL_US, type Rig, SERVICE, startRig, twiml, USER } from './rig';

describe('a simulator that keeps its calls in a file', () => {
  let folder: string;
  let callsFile: string;
  let rig: Rig | null = null;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kindline-calls-'));
    callsFile = join(folder, 'simulator', 'calls.json');
  });
  afterEach(async () => {
    await rig?.stop();
    rig = null;
    rmSync(folder, { recursive: true });
  });

  const restart = async (): Promise<Rig> => {
    await rig?.stop();
    rig = await startRig({ callsFile });
    rig.service.on('/voice', twiml('<Say>hello</Say>'));
    return rig;
  };

  it('shows finished calls, phones and scripts again after a restart', async () => {
    const before = await restart();
    await before.phones.addHandset(MENTOR, 'Mentor');
    await before.phones.script(USER, { answerAfterMs: 0 });
    const sid = await before.place();
    const leg = await before.over(sid);

    const after = await restart();
    expect((await after.phones.ledger())[0]).toEqual(leg);
    expect(await after.twilio.calls(sid).fetch()).toMatchObject({ status: 'completed', to: USER });
    expect(await after.twilio.calls.list({ to: USER })).toHaveLength(1);
    expect((await after.phones.handset(USER)).script).toEqual({ answerAfterMs: 0 });
    expect((await after.phones.handset(MENTOR)).label).toBe('Mentor');
  });

  it('ends what was live when it stopped: nobody can be on that line any more', async () => {
    const before = await restart();
    before.service.on('/voice', twiml('<Pause length="3600"/>'));
    await before.phones.script(USER, { answerAfterMs: 0 });
    const answered = await before.place();
    const ringing = await before.place({ to: MENTOR });
    await eventually(async () => {
      const legs = await before.phones.ledger();
      return legs[0]?.answeredAt && legs[1]?.ringingAt;
    });

    const after = await restart();
    expect((await after.twilio.calls(answered).fetch()).status).toBe('completed');
    expect((await after.twilio.calls(ringing).fetch()).status).toBe('failed');
    expect(await after.phones.calls()).toEqual([]);
  });

  it('goes on with texts that waited, and still knows who has opted out and who wrote to whom', async () => {
    const before = await restart();
    const sticky = await before.text({ messagingServiceSid: SERVICE, to: MENTOR });
    await before.textIs(sticky, 'delivered');
    await before.phones.sendText({ from: USER, to: OURS, body: 'STOP' });
    await before.phones.settings({ messagesPerSecond: 0.2 });
    const statusCallback = 'http://127.0.0.1:9/gone';
    await before.text({ to: MENTOR, statusCallback });
    const waiting = await before.text({ to: MENTOR, statusCallback });
    await before.textIs(waiting, 'queued');

    const after = await restart();
    expect(await after.textIs(waiting, 'delivered')).toMatchObject({ sender: OURS });
    await expect(after.text()).rejects.toMatchObject({ code: 21610 });
    expect((await after.phones.texts(USER)).map(({ body }) => body)).toEqual(['STOP', expect.any(String)]);
    expect(await after.phones.texts(MENTOR)).toHaveLength(3);
    expect(
      await after.textIs(await after.text({ messagingServiceSid: SERVICE, to: MENTOR }), 'delivered'),
    ).toMatchObject({ sender: POOL_US });
  });

  it('starts all the same when the file cannot be read', async () => {
    callsFile = join(folder, 'calls.json');
    writeFileSync(callsFile, 'half a fi');
    const started = await restart();
    expect(await started.phones.ledger()).toEqual([]);
  });

  it('reads a file of the time before there were texts', async () => {
    callsFile = join(folder, 'calls.json');
    writeFileSync(callsFile, JSON.stringify({ legs: [], handsets: [{ number: USER, label: 'Ana', script: null }] }));
    const started = await restart();
    expect(await started.phones.handset(USER)).toMatchObject({ label: 'Ana', texts: [] });
  });
});
