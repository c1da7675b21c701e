/** Whatever is done for a buddy or contact at the very moment in which they, or their user, are erased. */
import { randomBytes, randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { subjectOfAccounts } from '../../../api/accounts';
import { closeCheckIn, noteCheckIn, takeCheckInAnswer } from '../../../db/check-in-course';
import { inTransaction } from '../../../db/pool';
import { findRegisteredContact, noteContactLink } from '../../../db/registered-contacts';
import { SubjectErased } from '../../../domain/errors';
import { SealedValue } from '../../../domain/sealed';
import { newLinkToken } from '../../../vault/link-tokens';
import { MARKED } from '../../marked-people';
import { ApiUnderTest, type Who } from '../api/api-under-test';
import { type Asked, type BuddyWorld, checkedIn, hashOf, invited, type NamedBuddy, nameBuddy } from './people';

const ROUNDS = 20;
const OURS = '+14155550100';
let api: ApiUnderTest;
let world: BuddyWorld;
beforeAll(async () => {
  api = await ApiUnderTest.start();
  world = { pool: api.deps.pool, vault: api.deps.vault, tokenizer: api.deps.tokenizer };
});
afterAll(() => api.stop());

interface People {
  readonly who: Who;
  readonly userId: string;
  readonly buddy: NamedBuddy;
  /** Of an invitation that is open. */
  readonly link: string;
  readonly checkIn: Asked;
  readonly contact: { readonly subjectId: string; readonly link: string };
}

let nth = 0;

async function people(isVerified: boolean): Promise<People> {
  const who = { role: 'user', subject: randomUUID() } as const;
  const { pool, tokenizer, config } = api.deps;
  const userId = await subjectOfAccounts(pool, tokenizer)(config.oidc.issuer, who.subject);
  const buddy = await nameBuddy(world, { userId, isVerified, relationship: MARKED.variable });
  nth += 1;
  const json = { name: MARKED.mentorName, phoneNumber: `+1415555${String(100 + (nth % 80) + 10).padStart(4, '0')}` };
  // One number for many: they are told once in a long while.
  await pool.query('UPDATE registered_contacts SET phone_token = NULL');
  const named = await api.ask('PUT', '/api/users/me/registered-contact', { who, json: { ...json, language: 'en' } });
  expect(named.status).toBe(200);
  const link = newLinkToken();
  await noteContactLink(pool, named.body.contactId, hashOf(link));
  const contact = await findRegisteredContact(pool, userId);
  return {
    who,
    userId,
    buddy,
    link: await invited(pool, buddy.buddyId),
    checkIn: await checkedIn(world, buddy, { isOpen: true }),
    contact: { subjectId: contact?.subjectId ?? '', link },
  };
}

const form = (path: string, fields: Record<string, string>) =>
  api.fetch(path, { method: 'POST', body: new URLSearchParams(fields) });
const now = () => new Date().toISOString();

/** Each answers with a status, as far as somebody waits for it. */
const CHANGES: Readonly<Record<string, (people: People) => Promise<{ status: number } | void>>> = {
  'the user changes the entry': ({ who, buddy }) =>
    api.ask('PATCH', `/api/buddy/${buddy.buddyId}`, {
      who,
      json: { name: MARKED.mentorName, relationship: MARKED.variable, rank: 1 },
    }),
  'the user takes them off the list': ({ who, buddy }) => api.ask('DELETE', `/api/buddy/${buddy.buddyId}`, { who }),
  'they withdraw': ({ link }) => form(`/api/buddy/rights/${link}`, { step: 'withdraw' }),
  'they want to be asked by nobody': ({ link }) => form(`/api/buddy/rights/${link}`, { step: 'block-everybody' }),
  'they text STOP': ({ buddy: { phone } }) => {
    const sid = `SM${randomBytes(16).toString('hex')}`;
    const fields = { MessageSid: sid, SmsSid: sid, From: phone, To: OURS, Body: 'STOP', NumMedia: '0' };
    return api.twilio('/twiml/inbound-text', fields);
  },
  'they accept': ({ link }) => form('/api/buddy/verify', { token: link, action: 'accept' }),
  'they decline': ({ link }) => form('/api/buddy/verify', { token: link, action: 'decline' }),
  'their check-in goes on': async ({ buddy: { subjectId }, checkIn: { requestId } }) => {
    const note = SealedValue.of('text', MARKED.replyWords);
    const noteRecordId = await world.vault.seal({ subjectId, kind: 'text', value: note }).catch(unlessErased);
    const step = (fn: Parameters<typeof inTransaction<void>>[1]) => inTransaction(api.deps.pool, fn);
    await step((tx) => noteCheckIn(tx, { requestId, what: 'delivered', at: now() }));
    const answer = { requestId, response: 'called', noteRecordId, at: now() } as const;
    await step(async (tx) => void (await takeCheckInAnswer(tx, answer)));
    await step((tx) => closeCheckIn(tx, { requestId, state: 'answered', counts: true, at: now() }));
  },
  'the contact agrees': ({ contact }) => form(`/contact/${contact.link}`, { do: 'agree' }),
  'the contact refuses': ({ contact }) => form(`/contact/${contact.link}`, { do: 'refuse' }),
  'the user takes the contact off': ({ who }) => api.ask('DELETE', '/api/users/me/registered-contact', { who }),
};

function unlessErased(error: unknown): null {
  if (error instanceof SubjectErased) return null;
  throw error;
}

/** SQLSTATEs of everything that Postgres has refused since. */
function refusals(): { readonly codes: unknown[]; readonly stop: () => void } {
  const codes: unknown[] = [];
  // oxlint-disable-next-line typescript/unbound-method -- given its client below
  const { query } = Client.prototype;
  function listened(this: Client, ...given: unknown[]): unknown {
    const answer: unknown = Reflect.apply(query, this, given);
    if (answer instanceof Promise) answer.catch((error: unknown) => codes.push(Reflect.get(Object(error), 'code')));
    return answer;
  }
  const spy = jest.spyOn(Client.prototype, 'query').mockImplementation(listened);
  return { codes, stop: () => spy.mockRestore() };
}

async function leftOf(subjectIds: readonly string[]): Promise<object> {
  const { rows } = await api.database.owner.query(
    `SELECT (SELECT count(*)::int FROM vault_records WHERE subject_id = ANY($1) AND destroyed_at IS NULL) AS records,
            (SELECT count(*)::int FROM subject_keys WHERE subject_id = ANY($1) AND state = 'active') AS keys,
            (SELECT count(*)::int FROM buddy_contacts WHERE subject_id = ANY($1)
                AND (removed_at IS NULL OR is_active OR num_nonnulls(phone_token, email_token) > 0)) AS buddies,
            (SELECT count(*)::int FROM registered_contacts WHERE subject_id = ANY($1)
                AND (removed_at IS NULL OR link_hash IS NOT NULL)) AS contacts`,
    [subjectIds],
  );
  return rows[0];
}

test.each(Object.keys(CHANGES))(
  'while they or their user are erased, %s: nobody waits for each other, and nothing is left',
  async (name) => {
    const change = CHANGES[name] as (typeof CHANGES)[string];
    const refused = refusals();
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        const them = await people(!name.includes('accept') && !name.includes('decline'));
        const named = [them.buddy.subjectId, them.contact.subjectId];
        const erased = round % 2 === 0 ? named : [them.userId];
        const [done] = await Promise.all([
          change(them),
          ...erased.map((subjectId) => api.deps.vault.eraseSubject(subjectId, subjectId)),
        ]);
        expect(done?.status ?? 200).toBeLessThan(500);
        expect(await leftOf(named)).toEqual({ records: 0, keys: 0, buddies: 0, contacts: 0 });
      }
    } finally {
      refused.stop();
    }
    expect(refused.codes.filter((code) => code === '40P01' || code === '55P03')).toEqual([]);
  },
);
