import * as fc from 'fast-check';
import { stripOverrides, withOverrides } from '../../../domain/connection-overrides';
import { createWebhookUrls } from '../../../domain/webhook-urls';

const ids = { callId: 'c-1', dispatchId: 'd-1', language: 'es' };
const urls = createWebhookUrls('https://calls.example.org', 'https://static.example.org/{country}.xml');
const every: Record<string, string> = {
  greeting: urls.greeting(ids),
  confirmed: urls.confirmed(ids, { tryNumber: 1 }),
  dialOver: urls.dialOver(ids, { step: 1 }),
  offer: urls.offer(ids, { step: 1, offer: 'helpline' }),
  helplineOver: urls.helplineOver(ids),
  whisper: urls.whisper({ callId: 'c-1', step: 1, language: 'es' }),
  mentorConfirm: urls.mentorConfirm({ callId: 'c-1', step: 1, language: 'es' }),
  whisperToBeAsked: urls.whisper({ callId: 'c-1', step: 1, language: 'es', recording: 'ask' }),
  recordingStatus: urls.recordingStatus({ callId: 'c-1', recordingId: 'r-1' }),
  callStatus: urls.callStatus({ callId: 'c-1', leg: 'user', dispatchId: 'd-1' }),
  inbound: urls.inbound(),
  voiceApp: urls.voiceApp(),
  voiceAppLater: urls.voiceApp({ step: 'begin', language: 'es', country: 'MX', consent: null }, { loop: 1 }),
  fallback: urls.fallback('US') ?? '',
};

describe('URLs that Twilio gets', () => {
  it.each(Object.entries(every))('%s asks for retries on 5xx and timeouts', (_name, url) => {
    expect(url.endsWith('#rc=3&rp=5xx,ct,rt')).toBe(true);
    expect(URL.canParse(url)).toBe(true);
  });

  it('name the step, the ids and the language', () => {
    expect(stripOverrides(every['dialOver'] ?? '')).toBe(
      'https://calls.example.org/twiml/connect-mentor?call=c-1&dispatch=d-1&step=dial-over&n=1&lang=es',
    );
    expect(stripOverrides(every['callStatus'] ?? '')).toBe(
      'https://calls.example.org/call-status?call=c-1&leg=user&dispatch=d-1',
    );
    expect(stripOverrides(every['whisperToBeAsked'] ?? '')).toBe(
      'https://calls.example.org/twiml/mentor-whisper?call=c-1&n=1&rec=ask&lang=es',
    );
    expect(stripOverrides(every['recordingStatus'] ?? '')).toBe(
      'https://calls.example.org/recording-status?call=c-1&recording=r-1',
    );
    expect(stripOverrides(every['inbound'] ?? '')).toBe('https://calls.example.org/twiml/inbound');
    expect(stripOverrides(every['fallback'] ?? '')).toBe('https://static.example.org/US.xml');
  });

  it('name the country of a user who called from the app, whose leg has no number, and the text they agreed to', () => {
    const over = new URL(urls.dialOver({ ...ids, appCountry: 'MX' }, { step: 1 }));
    expect(over.searchParams.get('app')).toBe('MX');
    expect(stripOverrides(every['voiceApp'] ?? '')).toBe('https://calls.example.org/twiml/voice-app');
    const consent = { textVersion: 'app-2026-11', language: 'es' };
    const later = new URL(
      urls.voiceApp({ step: 'agreed', language: 'es', country: 'MX', consent }, { loop: 2, carried: { digits: '1' } }),
    );
    expect(Object.fromEntries(later.searchParams)).toEqual({
      step: 'agreed',
      text: 'app-2026-11',
      tl: 'es',
      loop: '2',
      digits: '1',
      lang: 'es',
      app: 'MX',
    });
  });

  it('carry the first answer through a redirect, which does not repeat it', () => {
    const url = new URL(urls.offer(ids, { step: 4, offer: 'reconnect', loop: 2, carried: { digits: '1' } }));
    expect(Object.fromEntries(url.searchParams)).toMatchObject({ n: '4', offer: 'reconnect', loop: '2', digits: '1' });
    const over = new URL(urls.helplineOver(ids, { loop: 1, carried: { dialStatus: 'busy', dialSeconds: 0 } }));
    expect(Object.fromEntries(over.searchParams)).toMatchObject({ loop: '1', ds: 'busy', dd: '0' });
  });

  it('have no fallback where none is configured', () => {
    expect(createWebhookUrls('https://calls.example.org', null).fallback('US')).toBeNull();
  });

  it('keep a path of the public base and ignore its trailing slashes', () => {
    expect(stripOverrides(createWebhookUrls('https://example.org/voice//', null).inbound())).toBe(
      'https://example.org/voice/twiml/inbound',
    );
  });
});

describe('connection overrides', () => {
  it('are set once and stripped whole, whatever the URL', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true, withFragments: false }), (url) => {
        expect(stripOverrides(withOverrides(withOverrides(url)))).toBe(url);
      }),
    );
  });
});
