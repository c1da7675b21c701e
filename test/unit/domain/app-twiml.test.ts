import { agreeTwiml, rejectTwiml } from '../../../domain/app-twiml';
import { promptsFor } from '../../../domain/prompts';
import { RETENTION } from '../../../domain/retention';
import { planTwiml, type TwimlContext } from '../../../domain/twiml';
import { createWebhookUrls } from '../../../domain/webhook-urls';

const ctx: TwimlContext = {
  callId: 'c-1',
  dispatchId: 'd-1',
  language: 'en',
  country: 'US',
  appCountry: 'US',
  urls: createWebhookUrls('https://calls.example.org', null),
  greetingName: null,
  crisisOverride: null,
  promptsOf: promptsFor,
  spokenDisclosures: [],
  kept: RETENTION,
};

it('a call that is turned down is rejected, and nothing else', () => {
  expect(rejectTwiml()).toBe('<?xml version="1.0" encoding="UTF-8"?><Response><Reject/></Response>');
});

it('a consent text is spoken whole, then the key is asked for, and without one the call ends', () => {
  const document = agreeTwiml(promptsFor('es'), 'Esto es lo que se acuerda.', 'https://calls.example.org/x');
  expect(document).toMatch(/<Gather[^>]*action="https:\/\/calls.example.org\/x"[^>]*actionOnEmptyResult="true"/);
  expect(document.indexOf('Esto es lo que se acuerda.')).toBeLessThan(document.indexOf('oprima 1'));
  expect(document).toContain('voice="Polly.Lupe"');
  expect(document).toMatch(/<\/Gather><Hangup\/><\/Response>$/);
});

it.each([
  ['already-in-call', 'You already have a call with us.'],
  ['no-mentor-now', 'call 9 8 8'],
] as const)('who is turned away because of %s hears why, and is let go', (words, sentence) => {
  const document = planTwiml({ do: 'goodbye', words }, ctx);
  expect(document).toContain(sentence);
  expect(document).toContain('<Hangup/>');
});

it('what is asked later still names the country, which no number tells', () => {
  const document = planTwiml({ do: 'offer', offer: 'helpline', step: 1 }, ctx);
  expect(document).toContain('app=US');
});
