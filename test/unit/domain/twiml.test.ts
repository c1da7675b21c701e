import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { type CallPlan, OFFER_KINDS } from '../../../domain/mentor-call';
import { promptsFor, SPOKEN_LANGUAGES } from '../../../domain/prompts';
import { RETENTION } from '../../../domain/retention';
import { SealedValue } from '../../../domain/sealed';
import {
  greetingTwiml,
  hangUpTwiml,
  helplineTwiml,
  inboundTwiml,
  noKeyTwiml,
  oneMomentTwiml,
  planTwiml,
  type TwimlContext,
  whisperTwiml,
} from '../../../domain/twiml';
import { createWebhookUrls } from '../../../domain/webhook-urls';

const MENTOR = '+14155550142';
const OURS = '+14155550100';
const urls = createWebhookUrls('https://calls.example.org/', 'https://static.example.org/{country}.xml');
const ctx: TwimlContext = {
  callId: '0b5e7c5e-0000-8000-8000-000000000001',
  dispatchId: 'd-1',
  language: 'en',
  urls,
  promptsOf: promptsFor,
  greetingName: null,
  country: 'US',
  crisisOverride: null,
  spokenDisclosures: [],
  kept: RETENTION,
};
const dialMentor: CallPlan = {
  do: 'dial-mentor',
  step: 3,
  mentorId: 'm-1',
  mentorRecordId: 'r-1',
  callerId: OURS,
  ringSeconds: 20,
  confirmSeconds: 15,
  timeLimitSeconds: 1800,
  words: 'first',
};
const mentorNumber = SealedValue.of('phone', MENTOR);

interface Verb {
  name: string;
  attributes: Record<string, string>;
  text: string;
  children: Verb[];
}
/** A document as fast-xml-parser gives it when it keeps the order. */
interface Node {
  '#text'?: string;
  ':@'?: Record<string, string>;
  [verb: string]: Node[] | string | Record<string, string> | undefined;
}

/** The verbs of a document in order; fails when it is not well-formed. */
function verbs(xml: string): Verb[] {
  expect(XMLValidator.validate(xml)).toBe(true);
  const parser = new XMLParser({
    preserveOrder: true,
    ignoreAttributes: false,
    attributeNamePrefix: '',
    parseTagValue: false,
  });
  const read = (nodes: Node[]): Verb[] =>
    nodes.flatMap((node) => {
      const name = Object.keys(node).find((key) => key !== ':@' && key !== '#text' && !key.startsWith('?'));
      const inside = name === undefined ? undefined : node[name];
      if (name === undefined || !Array.isArray(inside)) return [];
      const text = inside.map((child) => child['#text'] ?? '').join('');
      return [{ name, attributes: node[':@'] ?? {}, text, children: read(inside) }];
    });
  const document: Node[] = parser.parse(xml);
  const [response] = read(document);
  expect(response?.name).toBe('Response');
  return response?.children ?? [];
}
const names = (xml: string): string[] => verbs(xml).map(({ name }) => name);
const find = (xml: string, name: string): Verb => {
  const all = verbs(xml).flatMap((verb) => [verb, ...verb.children]);
  const found = all.find((verb) => verb.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};
const OVERRIDES = '#rc=3&rp=5xx,ct,rt';

describe('the greeting', () => {
  it('takes one key, always asks its action, and hangs up after it', () => {
    const xml = greetingTwiml(ctx, 1);
    expect(names(xml)).toEqual(['Gather', 'Hangup']);
    expect(find(xml, 'Gather').attributes).toMatchObject({
      numDigits: '1',
      actionOnEmptyResult: 'true',
      method: 'POST',
    });
    expect(find(xml, 'Say').text).toBe('Hello, this is the call you asked for. To go on, press 1.');
  });

  it('carries ids, the try and the overrides in its action, and nothing else', () => {
    const action = new URL(find(greetingTwiml(ctx, 2), 'Gather').attributes['action'] ?? '');
    expect(action.hash).toBe(OVERRIDES);
    expect(Object.fromEntries(action.searchParams)).toEqual({
      call: ctx.callId,
      dispatch: 'd-1',
      step: 'confirmed',
      try: '2',
      lang: 'en',
    });
  });

  it('speaks with the voice and language tag of its language', () => {
    expect(find(greetingTwiml({ ...ctx, language: 'es' }, 1), 'Say').attributes).toEqual({
      voice: 'Polly.Lupe',
      language: 'es-US',
    });
  });

  it('stays well-formed with any greeting name', () => {
    expect(find(greetingTwiml({ ...ctx, greetingName: '<A & "B">' }, 1), 'Say').text).toContain(
      'this is <A & "B"> with',
    );
  });

  it('says only goodbye when no key was pressed', () => {
    const xml = noKeyTwiml(ctx);
    expect(names(xml)).toEqual(['Say', 'Hangup']);
    expect(find(xml, 'Say').text).toBe('Goodbye.');
  });
});

describe('dialling a mentor', () => {
  const xml = planTwiml(dialMentor, ctx, { mentorNumber });

  it('speaks the limit, then dials with our number, the times of the plan and the star key', () => {
    expect(names(xml)).toEqual(['Say', 'Dial']);
    expect(find(xml, 'Say').text).toContain('30 minutes');
    expect(find(xml, 'Dial').attributes).toEqual({
      callerId: OURS,
      timeout: '20',
      timeLimit: '1800',
      hangupOnStar: 'true',
      method: 'POST',
      action: urls.dialOver(ctx, { step: 3 }),
    });
  });

  it('whispers to the mentor and reports every event of their leg', () => {
    expect(find(xml, 'Number').attributes).toEqual({
      url: urls.whisper({ callId: ctx.callId, step: 3, language: 'en' }),
      method: 'POST',
      statusCallback: urls.callStatus({ callId: ctx.callId, leg: 'mentor', step: 3 }),
      statusCallbackMethod: 'POST',
      statusCallbackEvent: 'initiated ringing answered completed',
    });
  });

  it('names the number once, as what is dialled, and in no URL', () => {
    expect(find(xml, 'Number').text).toBe(MENTOR);
    expect(xml.split(MENTOR.slice(1))).toHaveLength(2);
  });

  it('cannot be written without a revealed number', () => {
    expect(() => planTwiml(dialMentor, ctx)).toThrow(TypeError);
  });

  it.each([
    ['still-looking', 'Still looking'],
    ['again', 'again'],
    ['turn', 'Thank you for waiting'],
  ] as const)('says that we are %s', (words, part) => {
    expect(find(planTwiml({ ...dialMentor, words }, ctx, { mentorNumber }), 'Say').text).toContain(part);
  });

  it('is the same document each time it is asked for', () => {
    expect(planTwiml(dialMentor, ctx, { mentorNumber })).toBe(xml);
  });
});

describe('the whisper', () => {
  it('ends with a hang-up, so that a voicemail is never bridged, and dials nobody', () => {
    const xml = whisperTwiml(ctx, 3, 12);
    expect(names(xml)).toEqual(['Gather', 'Hangup']);
    expect(find(xml, 'Gather').attributes).toMatchObject({
      numDigits: '1',
      actionOnEmptyResult: 'true',
      timeout: '12',
      action: urls.mentorConfirm({ callId: ctx.callId, step: 3, language: 'en' }),
    });
  });

  it('bridges after key 1 by ending without a hang-up', () => {
    expect(names(planTwiml({ do: 'bridge' }, ctx))).toEqual(['Say']);
  });

  it('tells a mentor whose caller has gone, and hangs up', () => {
    expect(names(planTwiml({ do: 'goodbye', words: 'caller-gone' }, ctx))).toEqual(['Say', 'Hangup']);
  });
});

describe('offers', () => {
  it.each(OFFER_KINDS)('of %s take one key and name themselves in the action', (offer) => {
    const xml = planTwiml({ do: 'offer', offer, step: 5 }, ctx);
    expect(names(xml)).toEqual(['Gather', 'Hangup']);
    const action = find(xml, 'Gather').attributes['action'] ?? '';
    expect(action).toBe(urls.offer(ctx, { step: 5, offer }));
    expect(new URL(action).searchParams.get('offer')).toBe(offer);
  });

  it('to wait name key 2 for being rung, and key 0 for the helpline', () => {
    const { text } = find(planTwiml({ do: 'offer', offer: 'wait', step: 1 }, ctx), 'Say');
    expect(text).toMatch(/rung when somebody is free, press 2.*helpline, press 0/);
  });

  it('that were taken say for how long we try and which number is there meanwhile, and hang up', () => {
    const xml = planTwiml({ do: 'will-ring', withinSeconds: 1_200 }, ctx);
    expect(names(xml)).toEqual(['Say', 'Hangup']);
    expect(find(xml, 'Say').text).toMatch(/20 minutes.*hang up now.*9 8 8/);
    const least = planTwiml({ do: 'will-ring', withinSeconds: 0 }, { ...ctx, language: 'es' });
    expect(find(least, 'Say').text).toMatch(/1 segundo\b/);
  });
});

describe('the helpline', () => {
  const plan: CallPlan = { do: 'dial-helpline', country: 'US', callerId: OURS, because: 'nobody' };

  it('is announced and dialled with our number and an action', () => {
    const xml = planTwiml(plan, ctx);
    expect(names(xml)).toEqual(['Say', 'Dial']);
    expect(find(xml, 'Number').text).toBe('988');
    expect(find(xml, 'Dial').attributes).toMatchObject({ callerId: OURS, action: urls.helplineOver(ctx, { step: 1 }) });
    expect(find(xml, 'Number').attributes['statusCallback']).toBe(
      urls.callStatus({ callId: ctx.callId, leg: 'helpline', step: 1 }),
    );
  });

  it('is told digit by digit when it cannot be dialled from our numbers', () => {
    const xml = planTwiml({ ...plan, country: 'GB', nth: 2 }, { ...ctx, country: 'GB' });
    expect(names(xml)).toEqual(['Say', 'Hangup']);
    expect(find(xml, 'Say').text).toContain('1 1 6 1 2 3');
    expect(find(xml, 'Say').text).toContain('9 9 9');
  });

  it('is the second of the country where the first exists in its own network only', () => {
    const xml = planTwiml({ ...plan, country: 'GB' }, { ...ctx, country: 'GB' });
    expect(find(xml, 'Number').text).toBe('+448005858585');
  });

  it('that did not answer is told with its number, and the emergency number of the country', () => {
    const { text } = find(planTwiml({ do: 'goodbye', words: 'helpline-not-reached' }, ctx), 'Say');
    expect(text).toContain('9 8 8');
    expect(text).toContain('9 1 1');
  });

  it('of the organisation goes first', () => {
    expect(find(planTwiml(plan, { ...ctx, crisisOverride: '+14155550199' }), 'Number').text).toBe('+14155550199');
  });

  it('in the fallback document needs nothing of ours: no action, no callback', () => {
    const xml = helplineTwiml({
      country: 'US',
      language: 'en',
      callerId: OURS,
      crisisOverride: null,
      promptsOf: promptsFor,
    });
    expect(names(xml)).toEqual(['Say', 'Dial']);
    expect(find(xml, 'Dial').attributes).toEqual({ callerId: OURS, timeout: '60' });
    expect(find(xml, 'Number').attributes).toEqual({});
    expect(xml).not.toContain('http');
  });

  it('in the fallback document of an unknown country tells the emergency number', () => {
    const xml = helplineTwiml({
      country: 'DE',
      language: 'en',
      callerId: OURS,
      crisisOverride: null,
      promptsOf: promptsFor,
    });
    expect(names(xml)).toEqual(['Say', 'Hangup']);
    expect(find(xml, 'Say').text).toContain('1 1 2');
  });

  it.each(['nobody', 'asked', 'waited'] as const)('is never an emergency number (%s)', (because) => {
    for (const country of ['US', 'GB', 'ES', 'DE']) {
      const xml = planTwiml({ ...plan, country, because }, { ...ctx, country });
      expect(xml).not.toMatch(/<Number[^>]*>(911|999|112)</);
    }
  });
});

describe('one moment', () => {
  it('waits five seconds and asks the same step again', () => {
    const again = urls.dialOver(ctx, { step: 2, loop: 1, carried: { dialStatus: 'no-answer', dialSeconds: 0 } });
    const xml = oneMomentTwiml(ctx, again);
    expect(names(xml)).toEqual(['Say', 'Pause', 'Redirect']);
    expect(find(xml, 'Pause').attributes).toEqual({ length: '5' });
    expect(find(xml, 'Redirect').text).toBe(again);
    expect(find(xml, 'Redirect').attributes).toEqual({ method: 'POST' });
  });
});

describe('inbound calls', () => {
  it('end after a sentence and connect nobody', () => {
    for (const who of ['mentor', 'stranger'] as const) {
      for (const language of SPOKEN_LANGUAGES) {
        expect(names(inboundTwiml(who, { ...ctx, language }))).toEqual(['Say', 'Hangup']);
      }
    }
  });

  it('tell a stranger how to reach the helpline, and a mentor only that somebody asked', () => {
    expect(find(inboundTwiml('stranger', ctx), 'Say').text).toContain('9 8 8');
    expect(find(inboundTwiml('mentor', ctx), 'Say').text).not.toContain('9 8 8');
  });
});

it('an abandoned dispatch says nothing', () => {
  expect(names(hangUpTwiml())).toEqual(['Hangup']);
  expect(planTwiml({ do: 'hang-up' }, ctx)).toBe(hangUpTwiml());
});

it('no document lets anybody listen in, records, transcribes or takes speech: keys, words and one dialled number', () => {
  const plans: CallPlan[] = [
    dialMentor,
    { do: 'offer', offer: 'helpline', step: 1 },
    { do: 'offer', offer: 'reconnect', step: 2 },
    { do: 'offer', offer: 'wait', step: 3 },
    { do: 'will-ring', withinSeconds: 60 },
    { do: 'dial-helpline', country: 'US', callerId: OURS, because: 'nobody' },
    { do: 'bridge' },
    { do: 'goodbye', words: 'call-over' },
    { do: 'hang-up' },
  ];
  const documents = [
    greetingTwiml(ctx, 1),
    noKeyTwiml(ctx),
    whisperTwiml(ctx, 3),
    ...plans.map((plan) => planTwiml(plan, ctx, { mentorNumber })),
    oneMomentTwiml(ctx, 'https://calls.example.org/twiml/connect-mentor'),
    hangUpTwiml(),
  ];
  const all = documents.flatMap(verbs).flatMap((verb) => [verb, ...verb.children]);
  const allowed = ['Dial', 'Gather', 'Hangup', 'Number', 'Pause', 'Redirect', 'Say'];
  expect(allowed).toEqual(expect.arrayContaining([...new Set(all.map(({ name }) => name))]));
  for (const { name, attributes } of all) {
    expect(Object.keys(attributes).filter((key) => /record|transcri|speech|partial|stream/i.test(key))).toEqual([]);
    if (name === 'Gather') expect(attributes['input'] ?? 'dtmf').toBe('dtmf');
  }
  for (const dial of all.filter(({ name }) => name === 'Dial')) {
    expect(dial.children.map(({ name }) => name)).toEqual(['Number']);
  }
});

describe('a helpline that is not reached', () => {
  const dial = (nth: number, because: 'nobody' | 'first-not-reached') =>
    planTwiml({ do: 'dial-helpline', country: 'US', callerId: OURS, because, nth }, ctx);

  it('the second one is announced before it is dialled, and every callback says which one it is', () => {
    const xml = dial(2, 'first-not-reached');
    expect(names(xml)).toEqual(['Say', 'Dial']);
    expect(find(xml, 'Say').text).toMatch(/did not answer.*another one/);
    expect(find(xml, 'Number').text).toBe('+18338526262');
    const urlsOf = (document: string) => [
      find(document, 'Dial').attributes['action'] ?? '',
      find(document, 'Number').attributes['statusCallback'] ?? '',
    ];
    for (const url of urlsOf(xml)) expect(new URL(url).searchParams.get('n')).toBe('2');
    for (const url of urlsOf(dial(1, 'nobody'))) expect(new URL(url).searchParams.get('n')).toBe('1');
  });

  it('both numbers are said with the emergency number when neither was reached', () => {
    const { text } = find(planTwiml({ do: 'goodbye', words: 'helpline-not-reached' }, ctx), 'Say');
    expect(text).toContain('9 8 8, 1 8 3 3 8 5 2 6 2 6 2');
    expect(text).toContain('9 1 1');
    const alone = planTwiml({ do: 'goodbye', words: 'no-helpline-from-here' }, { ...ctx, country: 'DE' });
    expect(find(alone, 'Say').text).toContain('1 1 2');
  });

  it('a plan for one that is not there any more says the numbers instead of dialling nobody', () => {
    expect(names(dial(3, 'first-not-reached'))).toEqual(['Say', 'Hangup']);
  });
});

describe('offers', () => {
  it.each([
    ['reconnect', /press 1.*press 0.*hang up/],
    ['over', /press 0.*hang up/],
    ['time-over', /time for this call is over.*press 0.*hang up/],
    ['feedback', /from 1.*to 5.*hang up/],
  ] as const)('%s asks for its keys, at a place of its own, and hangs up without one', (offer, words) => {
    const xml = planTwiml({ do: 'offer', offer, step: 4 }, ctx);
    expect(names(xml)).toEqual(['Gather', 'Hangup']);
    expect(find(xml, 'Say').text).toMatch(words);
    const action = new URL(find(xml, 'Gather').attributes['action'] ?? '');
    expect([action.searchParams.get('offer'), action.searchParams.get('n')]).toEqual([offer, '4']);
  });

  it.each(['over', 'time-over'] as const)('a call that is put together no more promises no key 1: %s', (offer) => {
    expect(find(planTwiml({ do: 'offer', offer, step: 1 }, ctx), 'Say').text).not.toMatch(/press 1/);
  });

  it('who has rated is thanked', () => {
    expect(find(planTwiml({ do: 'goodbye', words: 'rated' }, ctx), 'Say').text).toMatch(/thank you/i);
  });
});
