import type { Judged } from './checked';
import type { ConfigProblem } from './config-error';
import type { KeyVariables, Variables } from './config';
import { isLoopback } from './variables';

/**
 * What is wrong with variables that are each well-formed: pairs that do not fit, and what production insists on.
 *
 * A deployment that lacks a credential must not start with a stand-in and report calls that nobody received.
 */
export function productionProblems(v: Judged<Variables>): ConfigProblem[] {
  const problems = mismatches(v);
  if (v.ALLOW_STAND_INS) problems.push(...publicHosts(v));
  else if (v.NODE_ENV === 'production') problems.push(...standIns(v));
  return problems;
}

function mismatches(v: Judged<Variables>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const margin = v.DISPATCH_SEND_MARGIN ?? v.DISPATCH_HTTP_TIMEOUT + 1_000;
  if (margin <= v.DISPATCH_HTTP_TIMEOUT) {
    problems.push({ variable: 'DISPATCH_SEND_MARGIN', expected: 'more than DISPATCH_HTTP_TIMEOUT' });
  }
  if (v.DISPATCH_LEASE <= margin) {
    problems.push({ variable: 'DISPATCH_LEASE', expected: 'more than DISPATCH_SEND_MARGIN, or nothing is ever sent' });
  }
  const longestNeed = (v.QUEUE_LIMIT === 0 ? 0 : v.QUEUE_LONGEST_WAIT) + Math.max(v.CALL_LONGEST, v.CALL_MAX_DURATION);
  // Destroyed earlier, the number would be gone while its user waits to be rung.
  if (v.RETENTION_NUMBER_FOR_ONE_CALL < longestNeed) {
    problems.push({
      variable: 'RETENTION_NUMBER_FOR_ONE_CALL',
      expected: 'no less than QUEUE_LONGEST_WAIT and CALL_LONGEST (or CALL_MAX_DURATION) together',
    });
  }
  if ((v.TWILIO_API_KEY === null) !== (v.TWILIO_API_SECRET === null)) {
    const missing = v.TWILIO_API_KEY === null ? 'TWILIO_API_KEY' : 'TWILIO_API_SECRET';
    problems.push({ variable: missing, expected: 'a value: TWILIO_API_KEY and TWILIO_API_SECRET go together' });
  }
  if (v.TWIML_APP_SID !== null && v.TWILIO_API_KEY === null && v.TWILIO_API_SECRET === null) {
    problems.push({
      variable: 'TWILIO_API_KEY',
      expected: 'a key, because TWIML_APP_SID is set: it signs voice tokens',
    });
  }
  if (hasMail(v) && v.MAIL_FROM === null) {
    problems.push({ variable: 'MAIL_FROM', expected: 'the address that mails are from' });
  }
  if (v.MAIL_SMTP_URL !== null && v.AWS_SES_REGION !== null) {
    problems.push({ variable: 'AWS_SES_REGION', expected: 'nothing, because MAIL_SMTP_URL is set' });
  }
  if (v.ALERT_EMAILS.length > 0 && !hasMail(v)) {
    problems.push({ variable: 'ALERT_EMAILS', expected: 'nothing, because no MAIL_SMTP_URL or AWS_SES_REGION is set' });
  }
  if (v.APP_WEBHOOK_URL !== null && v.APP_WEBHOOK_SECRET === null) {
    problems.push({ variable: 'APP_WEBHOOK_SECRET', expected: 'a value, because APP_WEBHOOK_URL is set' });
  }
  if (v.OIDC_CLIENT_SECRET !== null && v.OIDC_CLIENT_ID === null) {
    problems.push({ variable: 'OIDC_CLIENT_ID', expected: 'a value, because OIDC_CLIENT_SECRET is set' });
  }
  problems.push(...keyRingProblems(v));
  return problems;
}

function hasMail(v: Judged<Variables>): boolean {
  return v.MAIL_SMTP_URL !== null || v.AWS_SES_REGION !== null;
}

/** Also for processes that read only some of the variables. */
export function keyRingProblems(v: KeyVariables & Pick<Variables, 'NODE_ENV' | 'ALLOW_STAND_INS'>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  if (v.KEY_RING === 'kms' && v.KMS_KEY_ID === null) {
    problems.push({ variable: 'KMS_KEY_ID', expected: 'a value, because KEY_RING is kms' });
  }
  const isKms = v.KEY_RING !== 'local' && v.KMS_KEY_ID !== null;
  if (isKms && v.AWS_REGION === null && !v.KMS_KEY_ID?.startsWith('arn:')) {
    problems.push({ variable: 'AWS_REGION', expected: 'the region of the KMS key, or an ARN in KMS_KEY_ID' });
  }
  if (v.NODE_ENV !== 'production' || v.ALLOW_STAND_INS) return problems;
  if (v.KEY_RING === 'local' || v.KMS_KEY_ID === null) {
    problems.push({ variable: 'KMS_KEY_ID', expected: 'a KMS key in production: the local key ring is refused' });
  }
  if (v.KMS_ENDPOINT !== null && !isHttps(v.KMS_ENDPOINT)) {
    problems.push({ variable: 'KMS_ENDPOINT', expected: "nothing for AWS's own, or an https address, in production" });
  }
  return problems;
}

/** What production refuses to run without. */
function standIns(v: Judged<Variables>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const expect = (holds: boolean, variable: string, expected: string) => {
    if (!holds) problems.push({ variable, expected: `${expected} in production` });
  };
  expect(v.TWILIO_API_BASE_URL === null, 'TWILIO_API_BASE_URL', 'nothing, so that calls go to Twilio itself,');
  expect(v.TWILIO_INSIGHTS_BASE_URL === null, 'TWILIO_INSIGHTS_BASE_URL', 'nothing, for Twilio itself,');
  expect(isHttps(v.PUBLIC_BASE_URL), 'PUBLIC_BASE_URL', 'the public https address of the API');
  expect(
    isHttps(v.TWILIO_WEBHOOK_BASE_URL ?? v.PUBLIC_BASE_URL),
    'TWILIO_WEBHOOK_BASE_URL',
    'an https address that Twilio can reach',
  );
  expect(isHttps(v.VOICE_FALLBACK_URL), 'VOICE_FALLBACK_URL', 'the https address of the static fallback documents');
  expect(v.MAIL_FROM !== null || hasMail(v), 'MAIL_FROM', 'the address that mails are from');
  const hasServer = v.MAIL_SMTP_URL !== null && !isLoopback(v.MAIL_SMTP_URL);
  expect(hasServer || v.AWS_SES_REGION !== null, 'MAIL_SMTP_URL', 'a mail server, or AWS_SES_REGION,');
  expect(v.SES_ENDPOINT === null, 'SES_ENDPOINT', "nothing, for AWS's own,");
  expect(v.MAIL_EVENTS_STAND_IN === null, 'MAIL_EVENTS_STAND_IN', 'nothing');
  expect(isHttps(v.PRIVACY_POLICY_URL), 'PRIVACY_POLICY_URL', 'the https address of the privacy policy');
  expect(v.APP_WEBHOOK_URL === null || isHttps(v.APP_WEBHOOK_URL), 'APP_WEBHOOK_URL', 'an https address, or nothing,');
  expect(isHttps(v.OIDC_ISSUER ?? null), 'OIDC_ISSUER', 'an https issuer');
  return problems;
}

/** An address that the world can reach, over TLS. */
export function isHttps(address: string | null): boolean {
  return address?.startsWith('https://') === true && !isLoopback(address);
}

/** Where the world would find us. */
const ADDRESSES = [
  'PUBLIC_BASE_URL',
  'TWILIO_WEBHOOK_BASE_URL',
  'VOICE_FALLBACK_URL',
  'TEMPORAL_UI_URL',
  'CODEC_PUBLIC_URL',
] as const;

/** Stand-ins are for tests on one machine: a service that the world can reach must not ring simulated phones. */
export function publicHosts(v: Partial<Pick<Variables, (typeof ADDRESSES)[number]>>): ConfigProblem[] {
  const expected = 'an address of this machine, because ALLOW_STAND_INS is set';
  return ADDRESSES.filter((name) => v[name] != null && !isLoopback(v[name])).map((variable) => ({
    variable,
    expected,
  }));
}
