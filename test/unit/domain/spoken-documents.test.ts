/** Every document of every step, in every language, and with every sentence as a recording: nothing in them is cut off. */
import { XMLParser } from 'fast-xml-parser';
import {
  type AlertTwimlContext,
  alertGoodbyeTwiml,
  alertGreetingTwiml,
  alertMessageTwiml,
  alertThanksTwiml,
} from '../../../domain/alert-twiml';
import { appConsentTextFor } from '../../../domain/app-consent-texts';
import { agreeTwiml } from '../../../domain/app-twiml';
import { DISCLOSURE_KINDS } from '../../../domain/disclosures';
import { type CallPlan, type DialWords, OFFER_KINDS } from '../../../domain/mentor-call';
import { PARTS } from '../../../domain/prompt-parts';
import { promptsFor, type PromptsOf, SPOKEN_LANGUAGES, spokenMs } from '../../../domain/prompts';
import { RETENTION } from '../../../domain/retention';
import { SealedValue } from '../../../domain/sealed';
import { readPrompts } from '../../../domain/spoken-words';
import {
  greetingTwiml,
  hangUpTwiml,
  helplineTwiml,
  inboundTwiml,
  noKeyTwiml,
  oneMomentTwiml,
  planTwiml,
  recordingQuestionTwiml,
  type TwimlContext,
  whisperTwiml,
} from '../../../domain/twiml';
import { createWebhookUrls } from '../../../domain/webhook-urls';

const OURS = '+14155550100';
const urls = createWebhookUrls('https://calls.example.org', null);
const ids = { callId: 'c-1', dispatchId: 'd-1', urls, greetingName: null };

/** Sentences whose gaps differ from call to call can be no recordings. */
const isFixed = (parts: Readonly<Record<string, { readonly isFixed: boolean }>>, key: string): boolean =>
  parts[key]?.isFixed ?? true;

/** The same file with every sentence a recording that may be one, in every language. */
const RECORDED = readPrompts(
  JSON.stringify(
    Object.fromEntries(
      SPOKEN_LANGUAGES.map((language) => {
        const { neutral, confirmed } = promptsFor(language);
        const played = (group: 'neutral' | 'confirmed', sentences: object) =>
          Object.fromEntries(
            Object.keys(sentences)
              .filter((key) => isFixed(PARTS[group], key))
              .map((key) => [key, { play: `https://audio.example.org/${language}/${group}/${key}.mp3`, seconds: 4 }]),
          );
        const fallback = { play: `https://audio.example.org/${language}/fallback.mp3`, seconds: 4 };
        return [language, { neutral: played('neutral', neutral), confirmed: played('confirmed', confirmed), fallback }];
      }),
    ),
  ),
);

const GOODBYES = [
  'caller-gone',
  'helpline-not-reached',
  'no-helpline-from-here',
  'call-over',
  'rated',
  'already-in-call',
  'no-mentor-now',
] as const;

const DIAL_MENTOR = {
  do: 'dial-mentor',
  step: 1,
  mentorId: 'm-1',
  mentorRecordId: 'r-1',
  callerId: OURS,
  ringSeconds: 20,
  confirmSeconds: 15,
  timeLimitSeconds: 3_600,
} as const;

const PLANS: readonly CallPlan[] = [
  ...(['first', 'still-looking', 'again', 'last', 'turn'] as const satisfies readonly DialWords[]).flatMap((words) => [
    { ...DIAL_MENTOR, words },
    { ...DIAL_MENTOR, words, mayBeRecorded: true as const },
  ]),
  ...OFFER_KINDS.map((offer) => ({ do: 'offer' as const, offer, step: 1 })),
  ...(['nobody', 'asked', 'waited', 'first-not-reached'] as const).flatMap((because) =>
    ['US', 'GB'].map((country) => ({ do: 'dial-helpline' as const, country, callerId: OURS, because })),
  ),
  { do: 'bridge' },
  { do: 'bridge', isRecorded: true },
  { do: 'bridge', isRecorded: false },
  { do: 'will-ring', withinSeconds: 600 },
  ...GOODBYES.map((words) => ({
    do: 'goodbye' as const,
    words,
  })),
  { do: 'hang-up' },
];

/** All documents by name. */
function documents(language: string, promptsOf: PromptsOf): [string, string][] {
  const base = { ...ids, language, promptsOf };
  const told = { spokenDisclosures: DISCLOSURE_KINDS, kept: RETENTION };
  const ctx: TwimlContext = { ...base, country: 'US', crisisOverride: null, ...told };
  const alert: AlertTwimlContext = { ...base, alertId: 'a-1', legId: 'l-1', neutralFirst: true };
  const mentorNumber = SealedValue.of('phone', '+14155550142');
  const consent = appConsentTextFor(language);
  const toAgree = { language, country: 'US', consent: null };
  const words = SealedValue.of('text', 'https://is.what.the/message/begins-with. Your parcel is here.');
  return [
    ['greeting', greetingTwiml(ctx, 1)],
    ['greeting again', greetingTwiml(ctx, 2)],
    ['no key', noKeyTwiml(ctx)],
    ['whisper', whisperTwiml(ctx, 1, 15)],
    ['whisper before the question', whisperTwiml(ctx, 1, 15, true)],
    ['may it be recorded', recordingQuestionTwiml(ctx, 1)],
    ['agree', agreeTwiml(promptsOf(language), consent?.text ?? '', urls.voiceApp({ ...toAgree, step: 'agreed' }))],
    ['one moment', oneMomentTwiml(ctx, urls.dialOver(ctx, { step: 1, loop: 1 }))],
    ...['US', 'GB', 'DE'].map((country): [string, string] => [
      `static ${country}`,
      helplineTwiml({ country, language, callerId: OURS, crisisOverride: null, promptsOf }),
    ]),
    ...(['mentor', 'stranger'] as const).map((who): [string, string] => [`called by ${who}`, inboundTwiml(who, ctx)]),
    ...PLANS.map((plan): [string, string] => [JSON.stringify(plan), planTwiml(plan, ctx, { mentorNumber })]),
    ['alert', alertGreetingTwiml(alert, 1)],
    ['alert again', alertGreetingTwiml(alert, 2)],
    ['alert words', alertMessageTwiml(alert, { words, language, acknowledge: true, n: 1 })],
    ['alert thanks', alertThanksTwiml(alert)],
    ['alert goodbye', alertGoodbyeTwiml(alert)],
    ['hang up', hangUpTwiml()],
  ];
}

interface Verb {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly inside: readonly Verb[];
}

function verbsOf(xml: string): readonly Verb[] {
  const parser = new XMLParser({ preserveOrder: true, ignoreAttributes: false, attributeNamePrefix: '' });
  const read = (nodes: unknown): Verb[] =>
    (Array.isArray(nodes) ? nodes : []).flatMap((node: Record<string, unknown>) => {
      const name = Object.keys(node).find((key) => key !== ':@' && key !== '#text' && !key.startsWith('?'));
      if (name === undefined) return [];
      const children = node[name];
      const text = (Array.isArray(children) ? children : []).map((child) => String(child['#text'] ?? '')).join('');
      const attributes = Object.entries(node[':@'] ?? {}).map(([key, value]) => [key, String(value)]);
      return [{ name, attributes: Object.fromEntries(attributes), text, inside: read(children) }];
    });
  return read(parser.parse(xml))[0]?.inside ?? [];
}

const isHeard = ({ name }: Verb): boolean => name === 'Say' || name === 'Play';
const heardIn = (xml: string): Verb[] =>
  verbsOf(xml)
    .flatMap((verb) => [verb, ...verb.inside])
    .filter(isHeard);

describe.each([...SPOKEN_LANGUAGES])('in %s', (language) => {
  describe.each([
    ['said', promptsFor],
    ['played', RECORDED],
  ] as const)('%s', (how, promptsOf) => {
    it.each(documents(language, promptsOf))('%s: what is heard is whole, and something comes after it', (name, xml) => {
      const verbs = verbsOf(xml);
      for (const [index, verb] of verbs.entries()) {
        const next = verbs[index + 1];
        // A key may cut a prompt short; nothing else may, so words stand before what ends or joins the line.
        if (verb.name === 'Gather') {
          expect(verb.inside.some(isHeard)).toBe(true);
          expect(verb.attributes).toMatchObject({ numDigits: '1', actionOnEmptyResult: 'true' });
          expect(Number(verb.attributes['timeout'])).toBeGreaterThanOrEqual(8);
          expect(next?.name).toBe('Hangup');
        }
        if (isHeard(verb) && !name.startsWith('{"do":"bridge"')) {
          expect(['Say', 'Play', 'Dial', 'Hangup', 'Pause']).toContain(next?.name);
        }
        if (verb.name === 'Pause') expect(next?.name).toBe('Redirect');
        if (['Dial', 'Hangup', 'Redirect'].includes(verb.name)) expect(next).toBeUndefined();
      }
      for (const { name: verb, text, attributes } of heardIn(xml)) {
        // Twilio takes no more than this; a half-filled sentence would be read out as it stands.
        expect(text.length).toBeLessThan(4_096);
        expect(text).not.toMatch(/undefined|null|NaN|[{}[\]]/);
        if (verb === 'Say') {
          expect(text).toMatch(/[.।]$/u);
          expect(attributes).toEqual(promptsFor(language).speech);
        } else expect(text).toMatch(/^https:\/\/audio\.example\.org\//);
      }
    });

    it('nothing that may be a recording is said, and no address is read aloud', () => {
      const spoken = documents(language, promptsOf).flatMap(([name, xml]) =>
        name === 'alert words' ? [] : heardIn(xml),
      );
      expect(spoken.length).toBeGreaterThan(20);
      expect(spoken.some(({ name }) => name === 'Play')).toBe(how === 'played');
      for (const { name, text } of spoken) if (name === 'Say') expect(text).not.toContain('https://');
    });
  });

  it('a recipient’s own words are said, whatever they begin with', () => {
    const [, xml = ''] = documents(language, RECORDED).find(([name]) => name === 'alert words') ?? [];
    expect(heardIn(xml)[0]).toMatchObject({ name: 'Say', text: expect.stringMatching(/^https:/) });
  });

  it('two greetings and the time for a key fit into what CALL_USER_CONFIRM gives by default, with a name too', () => {
    const { neutral } = promptsFor(language);
    const said = spokenMs(neutral.greeting('The Harbour House')) + spokenMs(neutral.greetingAgain('The Harbour House'));
    expect(said + 2 * 8_000).toBeLessThan(40_000);
  });

  it('a whisper is over before the time for its key begins to count', () => {
    const gather = verbsOf(
      whisperTwiml(
        {
          ...ids,
          language,
          promptsOf: promptsFor,
          country: 'US',
          crisisOverride: null,
          spokenDisclosures: [],
          kept: RETENTION,
        },
        1,
        15,
      ),
    )[0];
    expect(gather?.attributes['timeout']).toBe('15');
    expect(gather?.inside.map(({ name }) => name)).toEqual(['Say']);
  });
});
