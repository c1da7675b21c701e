import { eventually, OURS, type Rig, startRig, twiml, USER } from './rig';

describe('TwiML on one leg', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await startRig();
  });
  beforeEach(async () => {
    await rig.fresh();
    await rig.phones.script(USER, { answerAfterMs: 0 });
  });
  afterAll(() => rig.stop());

  /** Runs a document on USER's phone. */
  const run = async (verbs: string, options: Parameters<Rig['place']>[0] = {}) => {
    rig.service.on('/voice', twiml(verbs));
    return rig.over(await rig.place(options));
  };
  const seconds = (from: string | null, to: string | null) => (Date.parse(to ?? '') - Date.parse(from ?? '')) / 1000;

  it('says words with entities and markup, plays sounds, repeats them as often as asked', async () => {
    const leg = await run(
      '<Say language="es-ES">S&#237; &amp; <break strength="weak"/>no</Say><Say loop="2">twice</Say><Play>/beep.mp3</Play>',
    );
    expect(leg.heard).toEqual(['Sí & no', 'twice', 'twice', '♪ /beep.mp3']);
    expect(leg).toMatchObject({ status: 'completed', spoke: true });
  });

  it('pauses, in phone time', async () => {
    const leg = await run('<Pause length="20"/><Say>late</Say>');
    expect(seconds(leg.answeredAt, leg.endedAt)).toBeGreaterThanOrEqual(20 / 50);
  });

  it('lets words last, so that somebody can hang up in the middle', async () => {
    await rig.phones.settings({ wordMs: 500 });
    await rig.phones.script(USER, { answerAfterMs: 0, hangUp: { after: 'words', words: 'first', ms: 500 } });
    const leg = await run('<Say>the first six words are these</Say><Say>and these are never heard</Say>');
    expect(leg.heard).toEqual(['the first six words are these']);
    expect(leg.status).toBe('completed');
  });

  it('ends the call with Hangup, and runs nothing after it', async () => {
    expect((await run('<Say>a</Say><Hangup/><Say>b</Say>')).heard).toEqual(['a']);
  });

  it('goes on at another document with Redirect, relative to the one before', async () => {
    rig.service.on('/next', twiml('<Say>next</Say>'));
    const leg = await run('<Say>first</Say><Redirect method="POST">next?step=2</Redirect><Say>never</Say>');
    expect(leg.heard).toEqual(['first', 'next']);
    expect(rig.service.at('/next')[0]?.path).toBe('/next?step=2');
  });

  it('rejects an inbound call before it is answered, busy or not', async () => {
    rig.service.on('/inbound', twiml('<Reject reason="busy"/>'));
    const busy = await rig.over(await rig.phones.call(USER, OURS));
    expect(busy).toMatchObject({ status: 'busy', answeredAt: null, heard: [] });
    rig.service.on('/inbound', twiml('<Reject/>'));
    expect(await rig.over(await rig.phones.call(USER, OURS))).toMatchObject({ status: 'no-answer', answeredAt: null });
  });

  describe('Gather', () => {
    const gather = (attributes: string, prompt = '<Say>Press.</Say>') =>
      `<Gather action="/keys" ${attributes}>${prompt}</Gather><Say>no keys</Say>`;
    const keys = async () => (await eventually(() => rig.service.at('/keys')[0])).params;
    beforeEach(() => rig.service.on('/keys', twiml('<Say>thanks</Say>')));

    it('posts the digits as soon as there are enough', async () => {
      await rig.phones.script(USER, { answerAfterMs: 0, keys: [{ when: 'gather', press: '42' }] });
      expect((await run(gather('numDigits="2"'))).heard).toEqual(['Press.', 'thanks']);
      expect(await keys()).toMatchObject({ Digits: '42', msg: 'Gather End', CallStatus: 'in-progress' });
    });

    it('ends at finishOnKey, which is not among the digits', async () => {
      await rig.phones.script(USER, { answerAfterMs: 0, keys: [{ when: 'gather', press: '123#' }] });
      await run(gather(''));
      expect(await keys()).toMatchObject({ Digits: '123', FinishedOnKey: '#' });
    });

    it('takes # as a digit when no key finishes', async () => {
      await rig.phones.script(USER, { answerAfterMs: 0, keys: [{ when: 'gather', press: '1#' }] });
      await run(gather('finishOnKey="" numDigits="2"'));
      expect((await keys()).Digits).toBe('1#');
    });

    it('posts what there is when the time after the last key is over', async () => {
      await rig.phones.script(USER, { answerAfterMs: 0, keys: [{ when: 'gather', press: '7' }] });
      await run(gather('timeout="3"'));
      expect((await keys()).Digits).toBe('7');
    });

    it('falls through to the next verb without any key', async () => {
      expect((await run(gather('timeout="2"'))).heard).toEqual(['Press.', 'no keys']);
      expect(rig.service.at('/keys')).toEqual([]);
    });

    it('posts empty digits instead when actionOnEmptyResult asks for it', async () => {
      expect((await run(gather('timeout="2" actionOnEmptyResult="true"'))).heard).toEqual(['Press.', 'thanks']);
      expect((await keys()).Digits).toBe('');
    });

    it('listens from the first word on, and a key cuts the prompt short', async () => {
      await rig.phones.settings({ wordMs: 200 });
      await rig.phones.script(USER, { answerAfterMs: 0, keys: [{ when: 'one', press: '1' }] });
      const prompt = '<Say>one two three</Say><Pause length="5"/><Say>four</Say>';
      expect((await run(gather('numDigits="1"', prompt))).heard).toEqual(['one two three', 'thanks']);
    });

    it('asks its own document again when it has no action', async () => {
      await rig.phones.script(USER, { answerAfterMs: 0, keys: [{ when: 'gather', press: '1', times: 1 }] });
      rig.service.on('/voice', (request) =>
        twiml(request.params.Digits ? '<Say>done</Say>' : '<Gather numDigits="1"/>'),
      );
      const leg = await rig.over(await rig.place());
      expect(leg.heard).toEqual(['done']);
    });

    it('does not see keys that were pressed before it', async () => {
      await rig.phones.script(USER, { answerAfterMs: 0, keys: [{ when: 'hello', press: '1' }] });
      const leg = await run(`<Say>hello</Say><Pause length="5"/>${gather('timeout="1"')}`);
      expect(leg).toMatchObject({ pressed: ['1'], heard: ['hello', 'Press.', 'no keys'] });
    });
  });

  it('ends the call at the TimeLimit of the request', async () => {
    const leg = await run('<Pause length="600"/><Say>never</Say>', { timeLimit: 10 });
    expect(leg.heard).toEqual([]);
    expect(seconds(leg.answeredAt, leg.endedAt)).toBeLessThan(5);
  });

  it.each([
    ['a verb it does not run', twiml('<Record/>'), 12200],
    ['XML that is not well-formed', '<Response><Say></Response>', 12100],
    ['another root', '<Twiml><Say>x</Say></Twiml>', 12100],
    ['an empty body', '', 12100],
    ['a Reject that is too late', twiml('<Say>x</Say><Reject/>'), 12200],
    ['a Dial of nobody', twiml('<Dial/>'), 13225],
    ['speech to gather', twiml('<Gather input="speech"/>'), 12200],
  ])('goes to the fallback with %s, and says why', async (_what, document, code) => {
    rig.service.on('/voice', document);
    rig.service.on('/fallback', twiml('<Say>fallback</Say>'));
    const leg = await rig.over(await rig.place({ fallbackUrl: `${rig.service.url}/fallback` }));
    expect(leg.wentToFallback).toBe(true);
    expect(leg.heard.at(-1)).toBe('fallback');
    expect(rig.service.at('/fallback')[0]?.params).toMatchObject({
      ErrorCode: String(code),
      ErrorUrl: `${rig.service.url}/voice`,
    });
    expect(await rig.phones.notifications()).toMatchObject([{ code, sid: leg.sid }]);
  });

  it('refuses a document without an XML content type', async () => {
    rig.service.on('/voice', { status: 200, type: 'application/json', body: '{}' });
    const leg = await rig.over(await rig.place());
    expect(await rig.phones.notifications()).toMatchObject([{ code: 12300 }]);
    expect(leg.heard).toEqual(["We're sorry, an application error has occurred. Goodbye."]);
  });
});
