import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { validateRequest, validateRequestWithBody, getExpectedTwilioSignature } from 'twilio/lib/webhooks/webhooks';
import { isSignedByTwilio, publicUrl, signatureOf, type SignedRequest } from '../../../api/twilio-signature';

const TOKEN = 'the-auth-token';
const OTHER_TOKEN = 'the-token-of-the-rotation';
const FORM = 'application/x-www-form-urlencoded';
const URL_OF_REQUEST = 'https://calls.example.org/call-status?call=c1&leg=user';
const FIELDS = { CallSid: 'CA1', CallStatus: 'completed', AccountSid: 'AC1' };

function form(fields: Record<string, string | string[]>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) for (const one of [value].flat()) params.append(name, one);
  return params.toString();
}

function signed(
  change: Partial<SignedRequest> & { signedUrl?: string; token?: string; fields?: Record<string, string> } = {},
) {
  const fields = change.fields ?? FIELDS;
  const { signedUrl = URL_OF_REQUEST, token = TOKEN, ...rest } = change;
  return {
    url: URL_OF_REQUEST,
    body: Buffer.from(form(fields)),
    contentType: FORM,
    signature: getExpectedTwilioSignature(token, signedUrl, fields),
    ...rest,
  };
}

describe('a request is Twilio’s', () => {
  test.each<[string, SignedRequest]>([
    ['when it is signed over our URL and its fields', signed()],
    ['when the other token of a rotation signed it', signed({ token: OTHER_TOKEN })],
    ['when Twilio signed with the port written out', signed({ signedUrl: URL_OF_REQUEST.replace('.org', '.org:443') })],
    [
      'when our URL has a port and Twilio signed without it',
      signed({ url: URL_OF_REQUEST.replace('.org', '.org:8443'), signedUrl: URL_OF_REQUEST }),
    ],
    ['when there is nothing but a URL', signed({ fields: {}, body: Buffer.alloc(0), contentType: '' })],
  ])('%s', (_why, request) => {
    expect(isSignedByTwilio(request, [TOKEN, OTHER_TOKEN])).toBe(true);
  });
});

describe('a request is not Twilio’s', () => {
  test.each<[string, SignedRequest]>([
    ['without a signature', { ...signed(), signature: undefined }],
    ['with an empty signature', signed({ signature: '' })],
    ['with a signature of the wrong length', signed({ signature: 'AAAA' })],
    [
      'with one character of the signature changed',
      signed({ signature: `${(signed().signature ?? '').slice(0, -2)}A=` }),
    ],
    ['signed with a token of somebody else', signed({ token: 'not-ours' })],
    ['with a field changed', signed({ body: Buffer.from(form({ ...FIELDS, CallStatus: 'busy' })) })],
    ['with a field added', signed({ body: Buffer.from(form({ ...FIELDS, Extra: '1' })) })],
    ['with a field taken away', signed({ body: Buffer.from(form({ CallSid: 'CA1' })) })],
    ['with another value of a repeated field', signed({ body: Buffer.from(`${form(FIELDS)}&CallSid=CA2`) })],
    ['for another path', signed({ url: URL_OF_REQUEST.replace('call-status', 'twiml/inbound') })],
    ['for another query', signed({ url: URL_OF_REQUEST.replace('call=c1', 'call=c2') })],
    ['signed over http instead of https', signed({ signedUrl: URL_OF_REQUEST.replace('https', 'http') })],
    ['signed for a port that is not ours', signed({ signedUrl: URL_OF_REQUEST.replace('.org', '.org:444') })],
    ['signed for another host', signed({ signedUrl: URL_OF_REQUEST.replace('calls', 'evil') })],
    ['signed with the fragment still on the URL', signed({ signedUrl: `${URL_OF_REQUEST}#rc=3&rp=5xx,ct,rt` })],
    ['with a body of a kind that Twilio does not send', signed({ contentType: 'text/plain' })],
  ])('%s', (_why, request) => {
    expect(isSignedByTwilio(request, [TOKEN, OTHER_TOKEN])).toBe(false);
  });

  test('once its token has been taken out of the configuration', () => {
    expect(isSignedByTwilio(signed({ token: OTHER_TOKEN }), [TOKEN])).toBe(false);
  });

  test('when no token is configured, not even one signed with an empty token', () => {
    expect(isSignedByTwilio(signed({ token: '' }), [''])).toBe(false);
    expect(isSignedByTwilio(signed(), [])).toBe(false);
  });
});

describe('a JSON body', () => {
  const body = Buffer.from('{"CallSid":"CA1"}');
  const url = `${URL_OF_REQUEST}&bodySHA256=${createHash('sha256').update(body).digest('hex')}`;
  const request = { url, body, contentType: 'application/json', signature: getExpectedTwilioSignature(TOKEN, url, {}) };

  test('is proven by its hash in the signed URL', () => {
    expect(isSignedByTwilio(request, [TOKEN])).toBe(true);
    expect(validateRequestWithBody(TOKEN, request.signature, url, body.toString())).toBe(true);
  });

  test('with one byte changed is refused', () => {
    expect(isSignedByTwilio({ ...request, body: Buffer.from('{"CallSid":"CA2"}') }, [TOKEN])).toBe(false);
  });

  test('without a hash in the URL is refused', () => {
    const signature = getExpectedTwilioSignature(TOKEN, URL_OF_REQUEST, {});
    expect(isSignedByTwilio({ ...request, url: URL_OF_REQUEST, signature }, [TOKEN])).toBe(false);
  });
});

test('signatures are the ones that the twilio package makes, for any fields', () => {
  const value = fc.string({ unit: 'binary', maxLength: 20 }).filter((text) => Buffer.from(text).toString() === text);
  const fields = fc.dictionary(
    fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,9}$/),
    fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 })),
    {
      noNullPrototype: true,
    },
  );
  fc.assert(
    fc.property(fields, (given) => {
      const signature = signatureOf(TOKEN, URL_OF_REQUEST, new URLSearchParams(form(given))).toString('base64');
      expect(validateRequest(TOKEN, signature, URL_OF_REQUEST, given)).toBe(true);
    }),
  );
});

test('the signed URL is made of our own base and of the path as it came', () => {
  expect(publicUrl('https://calls.example.org/', '/call-status?a=%7e')).toBe(
    'https://calls.example.org/call-status?a=%7e',
  );
});
