import { base64Cores } from '../../scripts/sealed-data-search';
import { ORGANISATION_NUMBERS } from '../../scripts/services';
import { MARKED } from '../marked-people';

/** One way in which a piece of personal data could have been written down. */
export interface Needle {
  /** What kind of thing was found, for the report: never the value itself. */
  readonly name: string;
  readonly pattern: RegExp;
}

/** Every number of the two fictional series that the suites use, our own left out. */
const AREAS = '(?:415|510|628)';
const OURS = new RegExp(ORGANISATION_NUMBERS.map((number) => number.slice(-4)).join('|'));

/** Six spellings: E.164, national, spaced, URL-encoded, base64, hex. Patterns are read over latin1 text. */
export function needles(): Needle[] {
  const names = [MARKED.mentorName, MARKED.otherMentorName, MARKED.variable, MARKED.contactName];
  // Buddies and their users are called by their first names.
  const firstNames = names.map((name) => name.split(' ')[0] ?? name);
  const { email, address, britishPhone, messageWords, replyWords, relationship, note, ip, userAgent } = MARKED;
  const said = [email, address, britishPhone, messageWords, replyWords, relationship, note, ip, userAgent];
  const words = [...names, ...firstNames, ...said];
  const numbers = [MARKED.userPhone, MARKED.otherUserPhone, MARKED.mentorPhone, MARKED.otherMentorPhone];
  return [
    { name: 'E.164', pattern: new RegExp(`\\+1${AREAS}55501[0-9]{2}`, 'g') },
    { name: 'national', pattern: new RegExp(`\\(?${AREAS}\\)?[-. ]?555-01[0-9]{2}`, 'g') },
    { name: 'digits', pattern: new RegExp(`(?<!\\d)1?${AREAS}55501[0-9]{2}`, 'g') },
    { name: 'spaced', pattern: new RegExp(`${AREAS} 555 01 ?[0-9]{2}`, 'g') },
    { name: 'URL-encoded', pattern: new RegExp(`%2[Bb]1${AREAS}55501[0-9]{2}`, 'g') },
    { name: 'hex', pattern: /(?:2b31)?(?:343135|353130|363238)3535353031(?:3[0-9]){2}/gi },
    // The whole series of the areas that hold no number of ours.
    { name: 'base64', pattern: anyOf(['51055501', '62855501'].flatMap((series) => base64Cores(Buffer.from(series)))) },
    ...[...words, ...numbers].map((value) => ({ name: 'base64', pattern: anyOf(base64Cores(Buffer.from(value))) })),
    ...words.map((value) => ({
      name: 'word',
      pattern: anyOf([value, value.toUpperCase(), encodeURIComponent(value)]),
    })),
    ...words.map((value) => ({ name: 'hex', pattern: anyOf([Buffer.from(value).toString('hex')]) })),
    { name: 'link', pattern: /(?:checkin|alert|rights|contact|unsubscribe)(?:\/|%2F)[\w-]{64}(?![\w-])/gi },
    { name: 'link', pattern: /verify(?:\?|%3F)token(?:=|%3D)[\w-]{64}(?![\w-])/gi },
  ];
}

/**
 * What tables and encrypted payloads may hold, and nothing else: scores, why an alert began, what somebody answered.
 * Only those answers that are no words of everyday.
 */
export function sensitiveNeedles(): Needle[] {
  return [
    { name: 'score', pattern: anyOf([String(MARKED.score)]) },
    { name: 'reason', pattern: anyOf(['risk-high', 'low-in-a-row']) },
    { name: 'response', pattern: anyOf(['cannot-reach']) },
  ];
}

/** False for a number of ours, which everybody may see. */
export function isPersonal(found: string): boolean {
  const digits = /^(?:[0-9a-f]{2}){6,}$/i.test(found) ? Buffer.from(found, 'hex').toString('latin1') : found;
  return !(
    /55501/.test(digits.replace(/\D/g, '')) &&
    OURS.test(digits.replace(/\D/g, '').slice(-4)) &&
    /415/.test(digits)
  );
}

function anyOf(values: readonly string[]): RegExp {
  const escaped = [...new Set(values)].map((value) => value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(escaped.join('|'), 'g');
}
