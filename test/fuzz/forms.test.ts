/** Whatever is sent to the pages behind links, and to a user's own page: an answer comes, and it is no error of ours. */
import { randomUUID } from 'node:crypto';
import { PagesUnderTest } from '../integration/api/pages-under-test';
import { checkedIn, type BuddyWorld, hashOf, nameBuddy } from '../integration/rights/people';
import { giveProfile } from '../integration/buddies/people';
import { MARKED } from '../marked-people';
import { newLinkToken } from '../../vault/link-tokens';
import { SealedValue } from '../../domain/sealed';
import { createSubject } from '../../db/subjects';
import { type FormKeys, type LinkKind, oddForm, type OddForm } from './odd-forms';
import { MARK } from './odd-requests';
import { runRounds, SUITE_WITHIN } from './rounds';
import { closeConnections, send, shown } from './wire';

let pages: PagesUnderTest;
let keys: FormKeys;
beforeAll(async () => {
  pages = await PagesUnderTest.start({
    RATE_LIMIT_ADDRESS: '1000000/1m',
    RATE_LIMIT_USER: '1000000/1m',
    RATE_LIMIT_ENDPOINT: '1000000/1m',
  });
  keys = await someKeys();
});
afterAll(async () => {
  closeConnections();
  await pages.stop();
});

const statuses = new Map<string, Set<number>>();

test(
  'no odd form is left without an answer, is answered with an error of ours, or is repeated in a refusal or the log',
  async () => {
    const { seed, findings } = await runRounds('odd forms', (random) => problemOf(oddForm(random, keys)));

    expect({ seed, findings }).toEqual({ seed, findings: [] });
    const lines = pages.api.logLines.filter((line) => /"level":"(error|fatal)"/.test(line) || line.includes(MARK));
    expect(lines).toEqual([]);
    for (const [route, seen] of statuses) {
      // No mail has gone out that somebody could unsubscribe from, and whoever is signed in has no alert.
      if (/\/unsubscribe|:alertId/.test(route)) continue;
      expect([route, [...seen].some((status) => status < 400)]).toEqual([route, true]);
    }
  },
  SUITE_WITHIN,
);

async function problemOf(odd: OddForm): Promise<string | null> {
  const answer = await send(Number(new URL(pages.url).port), odd);
  if (answer === null) return `no answer to ${shown(odd)}`;
  if (odd.route.startsWith(`${odd.method} `))
    statuses.set(odd.route, (statuses.get(odd.route) ?? new Set()).add(answer.status));
  if (answer.status >= 500) return `${answer.status} to ${shown(odd)}`;
  if (answer.status >= 400 && answer.text.includes(MARK))
    return `repeated in ${answer.text.slice(0, 500)}: ${shown(odd)}`;
  return null;
}

/** Enough of each that a withdrawal or an erasure leaves others. */
async function someKeys(): Promise<FormKeys> {
  const { pool, vault, tokenizer } = pages.api.deps;
  const world = { pool, vault, tokenizer };
  const visitor = await pages.signedIn('user', randomUUID());
  await visitor.open('/circle');
  const tokens: Record<LinkKind, string[]> = { verify: [], checkin: [], alert: [], contact: [] };
  const buddyIds: string[] = [];
  for (let n = 0; n < 60; n += 1) {
    const userId = await createSubject(pool, 'system');
    await giveProfile(world, userId);
    const buddy = await nameBuddy(world, { userId, isVerified: n % 3 !== 0 });
    buddyIds.push(buddy.buddyId);
    await pages.api.buddies.invite(
      { buddyId: buddy.buddyId, userId, country: 'US' },
      { invitationId: randomUUID(), validUntil: Date.now() + 10_000 },
    );
    tokens.verify.push(pages.api.buddies.token(buddy.buddyId));
    const asked = await checkedIn(world, buddy, { note: MARKED.note, isOpen: true });
    const byAlert = `UPDATE buddy_check_in_requests SET kind = 'system', alert_id = gen_random_uuid(), alert_days = 3
                      WHERE request_id = $1`;
    if (n % 2 === 0) await pool.query(byAlert, [asked.requestId]);
    tokens[n % 2 === 0 ? 'alert' : 'checkin'].push(asked.token);
    tokens.contact.push(await namedContact(world, userId));
  }
  const cookie = [...visitor.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  return { tokens, buddyIds, cookie, formToken: visitor.formToken };
}

async function namedContact({ pool, vault }: BuddyWorld, userId: string): Promise<string> {
  const subjectId = await createSubject(pool, userId);
  const [token, contactId] = [newLinkToken(), randomUUID()];
  const name = await vault.seal({ subjectId, kind: 'name', value: SealedValue.of('name', MARKED.contactName) });
  const phone = await vault.seal({ subjectId, kind: 'phone', value: SealedValue.of('phone', MARKED.contactPhone) });
  await pool.query(
    `INSERT INTO registered_contacts (contact_id, user_id, subject_id, name_record_id, phone_record_id, token_version,
                                      country, language, link_hash, message_id, told_at)
     VALUES ($1, $2, $3, $4, $5, 1, 'US', 'en', $6, gen_random_uuid(), now())`,
    [contactId, userId, subjectId, name, phone, hashOf(token)],
  );
  return token;
}
