import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { hasRefused } from '../../../db/buddy-refusals';
import { lockBuddy } from '../../../db/buddies';
import { endBuddy } from '../../../db/buddy-endings';
import { placeHold } from '../../../db/legal-holds';
import { inTransaction } from '../../../db/pool';
import { createSubject } from '../../../db/subjects';
import { SealedValue } from '../../../domain/sealed';
import { TemporalNotInTime } from '../../../temporal/errors';
import { newLinkToken } from '../../../vault/link-tokens';
import { relayEndings } from '../../../workers/relay';
import type { KindlineClient } from '../../../temporal/connection';
import { MARKED } from '../../marked-people';
import { ApiUnderTest } from '../api/api-under-test';
import {
  audited,
  buddyOf,
  type BuddyWorld,
  checkedIn,
  eventsOf,
  invited,
  type NamedBuddy,
  nameBuddy,
  somebodyNew,
  statesTold,
} from './people';

const IP = '203.0.113.77';
let api: ApiUnderTest;
let world: BuddyWorld;
beforeAll(async () => {
  api = await ApiUnderTest.start();
  world = { pool: api.deps.pool, vault: api.deps.vault, tokenizer: api.deps.tokenizer };
});
afterAll(() => api.stop());
beforeEach(() => {
  api.process.down = null;
  api.endings.told.length = 0;
});

const page = (token: string) => api.ask('GET', `/api/buddy/rights/${token}`);
const press = (token: string, step: string) =>
  api.fetch(`/api/buddy/rights/${token}`, { method: 'POST', body: new URLSearchParams({ step }) });
const tokensOf = ({ email, phone }: Pick<NamedBuddy, 'email' | 'phone'>) => ({
  email: api.deps.tokenizer.token(SealedValue.of('email', email)),
  phone: api.deps.tokenizer.token(SealedValue.of('phone', phone)),
});
const recordsOf = async ({ subjectId }: NamedBuddy): Promise<number> => {
  const text = 'SELECT count(*)::int AS n FROM vault_records WHERE subject_id = $1 AND destroyed_at IS NULL';
  return (await world.pool.query(text, [subjectId])).rows[0].n;
};

const MAIL_IP = '203.0.113.78';
const PHONE_IP = '203.0.113.79';
const BROWSER = 'A browser of the test';
const WORDS = { email: 'Words of an e-mail', sms: 'Words of a text' } as const;

/** Somebody who was asked, agreed, was asked again and has answered, from different places. */
async function buddyWithPast() {
  const buddy = await nameBuddy(world, {
    name: MARKED.mentorName,
    phone: MARKED.otherUserPhone,
    email: MARKED.email,
    relationship: MARKED.variable,
  });
  const link = await invited(world.pool, buddy.buddyId, { daysAgo: 60 });
  const checkIn = await checkedIn(world, buddy, { note: MARKED.replyWords, ip: IP });
  const { subjectId } = buddy;
  const seal = (kind: 'ip' | 'user-agent' | 'text', text: string) =>
    world.vault.seal({ subjectId, kind, value: SealedValue.of(kind, text) });
  await world.pool.query(
    `INSERT INTO buddy_verification_audit (buddy_id, event, version, ip_record_id, user_agent_record_id)
     VALUES ($1, 'sent', 1, NULL, NULL), ($1, 'accepted', 1, $2, $3), ($1, 'withdrawn', NULL, $4, $3)`,
    [buddy.buddyId, await seal('ip', MAIL_IP), await seal('user-agent', BROWSER), await seal('ip', PHONE_IP)],
  );
  for (const channel of ['email', 'sms'] as const) {
    await world.pool.query(
      `INSERT INTO messages (message_id, requested_by, subject_id, record_id, owns_record, content_record_id, language,
                             channel, kind, message_class, urgency, country, state, request_hash, requested_at, live)
       VALUES (gen_random_uuid(), $1, $1, $2, false, $3, 'en', $4, 'update', 'ordinary', 'normal', 'US', 'sent', 'x', now(),
               true)`,
      [subjectId, (await buddyOf(world.pool, buddy.buddyId)).nameRecordId, await seal('text', WORDS[channel]), channel],
    );
  }
  return { buddy, link, checkIn };
}

describe('the page behind a link of a buddy', () => {
  it('shows buttons and nothing that is held, however often it is opened, and changes nothing', async () => {
    const { link, checkIn } = await buddyWithPast();
    const before = await api.footprint();
    for (const token of [link, link, checkIn.token]) {
      const { status, text, headers } = await page(token);
      expect(status).toBe(200);
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
      for (const step of ['see', 'export', 'withdraw', 'block', 'block-everybody', 'erase']) {
        expect(text).toContain(`name="step" value="${step}"`);
      }
      for (const secret of [MARKED.mentorName, MARKED.email, MARKED.replyWords, '0143']) {
        expect(text).not.toContain(secret);
      }
    }
    expect(await api.footprint()).toEqual(before);
    expect((await press(link, 'something else')).status).toBe(200);
    expect(await api.footprint()).toEqual(before);
  });

  it.each([newLinkToken(), 'x'.repeat(64), 'short', `${'a'.repeat(63)}%00`])(
    'says nothing of anybody to a guess: %s',
    async (token) => {
      const before = await api.footprint();
      for (const answer of [await page(token), await press(token, 'see'), await press(token, 'erase')]) {
        expect(answer.status).toBe(404);
        expect(answer.text).not.toContain('name="step"');
      }
      expect(await api.footprint()).toEqual(before);
    },
  );

  it('speaks the buddy’s language, and to nobody known that of the browser', async () => {
    const { buddyId } = await nameBuddy(world, { language: 'es' });
    const { text } = await page(await invited(world.pool, buddyId));
    expect(text).toContain('<html lang="es">');
    expect(text).toContain('Borrar mis datos');
    const unknown = await api.ask('GET', `/api/buddy/rights/${newLinkToken()}`, {
      raw: { headers: { 'Accept-Language': 'es' } },
    });
    expect(unknown.text).toContain('Aquí no hay nada');
  });

  it('is not opened by a link that went to another address than the buddy’s of today', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    expect((await page(link)).status).toBe(200);
    await world.pool.query('UPDATE buddy_contacts SET email_token = $2 WHERE buddy_id = $1', [
      buddy.buddyId,
      randomBytes(32),
    ]);
    expect((await page(link)).status).toBe(404);
    expect((await press(link, 'see')).status).toBe(404);
  });
});

describe('what is held', () => {
  it('is shown after a press, without where from, and each look is audited in the buddy’s own name', async () => {
    const { buddy, link } = await buddyWithPast();
    const { status, text } = await press(link, 'see');
    expect(status).toBe(200);
    for (const value of [MARKED.mentorName, MARKED.email, MARKED.variable]) expect(text).toContain(value);
    expect(text).toContain('You agreed');
    expect(text).toContain('They asked: you called');
    for (const from of [IP, MAIL_IP, PHONE_IP, BROWSER]) expect(text).not.toContain(from);
    const { nameRecordId } = await buddyOf(world.pool, buddy.buddyId);
    expect(await audited(world.pool, 'record.revealed', nameRecordId)).toEqual([
      { actor: buddy.subjectId, purpose: 'own-view', outcome: 'done' },
    ]);
  });

  it('of the phone is not shown to whoever has the mailbox, who is told what opens it', async () => {
    const { buddy, link } = await buddyWithPast();
    const { text } = await press(link, 'see');
    expect(text).toContain(`••${MARKED.otherUserPhone.slice(-2)}`);
    for (const secret of [MARKED.otherUserPhone, MARKED.replyWords]) expect(text).not.toContain(secret);
    expect(text).toContain('open by the link in a text to your phone');
    const { body, text: file } = await press(link, 'export');
    for (const secret of [MARKED.otherUserPhone, MARKED.replyWords, IP, PHONE_IP, WORDS.sms]) {
      expect(file).not.toContain(secret);
    }
    expect(body.proves).toBe('email');
    expect(body.parts.about).toMatchObject({ email: MARKED.email, phone: `••${MARKED.otherUserPhone.slice(-2)}` });
    expect(body.parts.messages).toMatchObject([{ channel: 'email', words: WORDS.email }]);
    expect(body.parts.checkIns).toMatchObject([{ response: 'called', note: null, ipAddress: null, userAgent: null }]);
    expect(body.manifest).toMatchObject({
      about: { opensByOtherLink: ['phone'] },
      invitations: { opensByOtherLink: [] },
      checkIns: { opensByOtherLink: ['note', 'ipAddress', 'userAgent'] },
      messages: { opensByOtherLink: ['sms'] },
    });
    // What is not shown is not revealed either.
    const { rows } = await world.pool.query('SELECT note_record_id FROM buddy_check_in_requests WHERE buddy_id = $1', [
      buddy.buddyId,
    ]);
    expect(await audited(world.pool, 'record.revealed', rows[0].note_record_id)).toEqual([]);
  });

  it('of the mailbox is not shown to whoever has the phone, who is told what opens it', async () => {
    const { buddy, checkIn } = await buddyWithPast();
    const { text } = await press(checkIn.token, 'see');
    for (const held of [MARKED.mentorName, MARKED.otherUserPhone, MARKED.replyWords]) expect(text).toContain(held);
    expect(text).not.toContain(MARKED.email);
    expect(text).toContain('open by the link in an e-mail to you');
    const { body, text: file } = await press(checkIn.token, 'export');
    for (const secret of [MARKED.email, MAIL_IP, WORDS.email]) expect(file).not.toContain(secret);
    expect(body.proves).toBe('phone');
    expect(body.parts.about).toMatchObject({ email: null, phone: MARKED.otherUserPhone });
    expect(body.parts.history).toMatchObject([
      { event: 'sent' },
      { event: 'accepted', ipAddress: null, userAgent: null },
      { event: 'withdrawn', ipAddress: PHONE_IP, userAgent: BROWSER },
    ]);
    expect(body.parts.checkIns).toMatchObject([{ note: MARKED.replyWords, ipAddress: IP }]);
    expect(body.parts.messages).toMatchObject([{ channel: 'sms', words: WORDS.sms }]);
    expect(body.manifest).toMatchObject({
      about: { opensByOtherLink: ['email'] },
      history: { opensByOtherLink: ['ipAddress', 'userAgent'] },
      checkIns: { opensByOtherLink: [] },
      messages: { opensByOtherLink: ['email'] },
    });
    const { emailRecordId } = await buddyOf(world.pool, buddy.buddyId);
    expect(await audited(world.pool, 'record.revealed', emailRecordId)).toEqual([]);
  });

  it('says in Spanish too what opens the rest', async () => {
    const buddy = await nameBuddy(world, { language: 'es' });
    expect((await press(await invited(world.pool, buddy.buddyId), 'see')).text).toContain('se envió a su correo');
    expect((await press((await checkedIn(world, buddy)).token, 'see')).text).toContain('se envió a su teléfono');
  });

  it('is escaped: what a user has typed runs nowhere', async () => {
    const { buddyId } = await nameBuddy(world, { name: '<script>alert(1)</script>' });
    const { text } = await press(await invited(world.pool, buddyId), 'see');
    expect(text).toContain('&#60;script&#62;');
    expect(text).not.toContain('<script>alert');
  });

  it('is taken along as a file with a hash of each part, and where from, all audited', async () => {
    const { buddy, link } = await buddyWithPast();
    const { status, headers, body } = await press(link, 'export');
    expect(status).toBe(200);
    expect(headers.get('content-disposition')).toContain('attachment');
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body.parts.about).toMatchObject({ name: MARKED.mentorName, email: MARKED.email });
    expect(body.parts.history).toMatchObject([
      { event: 'sent' },
      { event: 'accepted', ipAddress: MAIL_IP, userAgent: BROWSER },
      { event: 'withdrawn', ipAddress: null, userAgent: null },
    ]);
    expect(body.parts.invitations).toMatchObject([{ version: 1, askedBy: 'user' }]);
    expect(Object.keys(body.manifest)).toEqual(Object.keys(body.parts));
    for (const [name, part] of Object.entries(body.parts)) {
      const sha256 = createHash('sha256').update(JSON.stringify(part)).digest('hex');
      expect(body.manifest[name]).toMatchObject({ sha256 });
    }
    const { phoneRecordId } = await buddyOf(world.pool, buddy.buddyId);
    expect(await audited(world.pool, 'record.revealed', phoneRecordId)).toMatchObject([{ purpose: 'own-export' }]);
  });

  it('that the vault has no more is left out', async () => {
    const { buddy, link, checkIn } = await buddyWithPast();
    await api.deps.vault.destroy((await buddyOf(world.pool, buddy.buddyId)).phoneRecordId, 'replaced');
    expect((await press(checkIn.token, 'see')).text).not.toContain(MARKED.otherUserPhone);
    expect((await press(checkIn.token, 'export')).body.parts.about).toMatchObject({ phone: null });
    expect((await press(link, 'export')).body.parts.about).toMatchObject({ phone: null, email: MARKED.email });
  });
});

describe('withdrawing', () => {
  it('ends it at once, for good, and tells running workflows and the app', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId, { daysAgo: 30 });
    const { requestId } = await checkedIn(world, buddy, { isOpen: true });
    const { status, text } = await press(link, 'withdraw');
    expect([status, text]).toEqual([200, expect.stringContaining('Done. You are not asked any more.')]);
    expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({
      isActive: false,
      status: 'opted-out',
      canBeAsked: false,
    });
    expect(api.endings.told).toEqual([{ buddyId: buddy.buddyId, checkInIds: [requestId] }]);
    const { email, phone } = tokensOf(buddy);
    for (const token of [email, phone]) expect(await hasRefused(world.pool, buddy.userId, [token])).toBe(true);
    expect(await hasRefused(world.pool, randomUUID(), [email, phone])).toBe(false);
    expect(await statesTold(world.pool, buddy.buddyId)).toEqual(['opted-out']);
    expect(await audited(world.pool, 'buddy.withdrawn', buddy.buddyId)).toEqual([
      { actor: buddy.subjectId, purpose: 'link', outcome: 'done' },
    ]);
  });

  it('pressed again, or many times at once, says the same and leaves nothing more behind', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    const before = await recordsOf(buddy);
    const answers = await Promise.all(Array.from({ length: 5 }, () => press(link, 'withdraw')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(new Set(answers.map(({ text }) => /role="status">[^<]*/.exec(text)?.[0])).size).toBe(1);
    expect(await eventsOf(world.pool, buddy.buddyId)).toEqual(['withdrawn']);
    // Where it was pressed from the first time: an address and a browser.
    expect(await recordsOf(buddy)).toBe(before + 2);
    const { rows } = await world.pool.query(
      'SELECT ip_record_id, user_agent_record_id FROM buddy_verification_audit WHERE buddy_id = $1',
      [buddy.buddyId],
    );
    expect(rows).toEqual([{ ip_record_id: expect.any(String), user_agent_record_id: expect.any(String) }]);
  });

  it('stands, whether an answer comes before, after or at the same moment', async () => {
    for (let round = 0; round < 10; round += 1) {
      const buddy = await nameBuddy(world, { isVerified: false });
      const link = await invited(world.pool, buddy.buddyId);
      // As a workflow writes down that somebody has agreed: behind the lock, and only while they may.
      const accept = inTransaction(world.pool, async (tx) => {
        const locked = await lockBuddy(tx, buddy.buddyId);
        if (locked?.isActive !== true) return;
        await tx.query('UPDATE buddy_contacts SET verified = true, verified_at = now() WHERE buddy_id = $1', [
          buddy.buddyId,
        ]);
      });
      const [{ status }] = await Promise.all([press(link, 'withdraw'), accept]);
      expect(status).toBe(200);
      expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ isActive: false, canBeAsked: false });
    }
  });

  it('holds while Temporal is away, and the relay tells the workflows later', async () => {
    const buddy = await nameBuddy(world);
    const { requestId } = await checkedIn(world, buddy, { isOpen: true });
    const link = await invited(world.pool, buddy.buddyId);
    api.process.down = new TemporalNotInTime();
    expect((await press(link, 'withdraw')).status).toBe(200);
    const told: string[] = [];
    const client = {
      withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
      workflow: { getHandle: (id: string) => ({ signal: async (name: string) => void told.push(`${id} ${name}`) }) },
    } as unknown as KindlineClient;
    const relay = { pool: world.pool, client, logger: api.deps.logger };
    expect(await relayEndings(relay)).toBe(1);
    expect(told.toSorted()).toEqual([`buddy-verification:${buddy.buddyId} ended`, `check-in:${requestId} ended`]);
    expect(await relayEndings(relay)).toBe(0);
  });

  it('is told again where the buddy has changed while the workflows were told', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    api.process.down = new TemporalNotInTime();
    await press(link, 'withdraw');
    let times = 0;
    const client = {
      withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
      workflow: {
        getHandle: () => ({
          signal: async () => {
            times += 1;
            if (times > 1) return;
            await world.pool.query('UPDATE buddy_contacts SET is_end_untold = true WHERE buddy_id = $1', [
              buddy.buddyId,
            ]);
          },
        }),
      },
    } as unknown as KindlineClient;
    const relay = { pool: world.pool, client, logger: api.deps.logger };
    await relayEndings(relay);
    expect(times).toBe(1);
    await relayEndings(relay);
    expect(times).toBe(2);
    expect(await relayEndings(relay)).toBe(0);
  });
});

describe('blocking', () => {
  it('of this person outlives everything, and is told apart from a withdrawal before it', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    await press(link, 'withdraw');
    for (let time = 0; time < 2; time += 1) {
      expect((await press(link, 'block')).text).toContain('This person cannot ask you any more');
    }
    expect(await eventsOf(world.pool, buddy.buddyId)).toEqual(['withdrawn', 'blocked']);
    expect(await audited(world.pool, 'buddy.blocked', buddy.buddyId)).toHaveLength(1);
    const { rows } = await world.pool.query('SELECT DISTINCT reason FROM buddy_refusals WHERE user_id = $1', [
      buddy.userId,
    ]);
    expect(rows).toEqual([{ reason: 'blocked' }]);
  });

  it('works after the user took them off the list', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    await inTransaction(world.pool, async (tx) => {
      const locked = await lockBuddy(tx, buddy.buddyId);
      if (locked === null) throw new Error('not there');
      await endBuddy(tx, { buddy: locked, how: 'removed', actor: buddy.userId, version: null });
    });
    expect((await press(link, 'block')).status).toBe(200);
    expect(await hasRefused(world.pool, buddy.userId, [tokensOf(buddy).email])).toBe(true);
    expect(await statesTold(world.pool, buddy.buddyId)).toEqual(['removed']);
  });

  it('of everybody is of the address that the link was sent to, and not of a number beside it', async () => {
    const shared = somebodyNew();
    const [mine, other] = [await nameBuddy(world, shared), await nameBuddy(world, shared)];
    const link = await invited(world.pool, mine.buddyId);
    for (let time = 0; time < 2; time += 1) {
      expect((await press(link, 'block-everybody')).text).toContain('Nobody can ask you any more');
    }
    const anybody = randomUUID();
    const { email, phone } = tokensOf(shared);
    expect(await hasRefused(world.pool, anybody, [email])).toBe(true);
    expect(await hasRefused(world.pool, anybody, [phone])).toBe(false);
    for (const { buddyId } of [mine, other]) {
      expect(await buddyOf(world.pool, buddyId)).toMatchObject({ isActive: false, status: 'opted-out' });
      expect(await eventsOf(world.pool, buddyId)).toEqual(['blocked']);
    }
    expect(api.endings.told.map(({ buddyId }) => buddyId).toSorted()).toEqual([mine.buddyId, other.buddyId].toSorted());
  });

  it('of everybody, by the link of a text, is of the phone', async () => {
    const buddy = await nameBuddy(world);
    const { token } = await checkedIn(world, buddy);
    await press(token, 'block-everybody');
    const { email, phone } = tokensOf(buddy);
    expect(await hasRefused(world.pool, randomUUID(), [phone])).toBe(true);
    expect(await hasRefused(world.pool, randomUUID(), [email])).toBe(false);
  });

  it('says so where nothing is left to be known by', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    const { emailRecordId } = await buddyOf(world.pool, buddy.buddyId);
    await api.deps.vault.destroy(emailRecordId, 'replaced');
    await world.pool.query(
      `WITH b AS (UPDATE buddy_contacts SET email_token = NULL, phone_token = NULL, removed_at = now() WHERE buddy_id = $1)
       UPDATE buddy_invitations SET email_token = NULL WHERE buddy_id = $1`,
      [buddy.buddyId],
    );
    for (const step of ['block', 'block-everybody']) {
      expect((await press(link, step)).text).toContain('we could not recognise it');
    }
  });
});

describe('erasing', () => {
  it('withdraws first, then destroys key, records and tokens; the link opens nothing any more', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    const { requestId } = await checkedIn(world, buddy, { isOpen: true });
    expect((await press(link, 'erase')).text).toContain('Your data is deleted');
    expect(await recordsOf(buddy)).toBe(0);
    expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({
      emailToken: null,
      phoneToken: null,
      isActive: false,
      removedAt: expect.any(Date),
    });
    const { rows } = await world.pool.query(
      `SELECT i.email_token, r.phone_token FROM buddy_invitations i JOIN buddy_check_in_requests r USING (buddy_id)
        WHERE i.buddy_id = $1`,
      [buddy.buddyId],
    );
    expect(rows).toEqual([{ email_token: null, phone_token: null }]);
    expect(await hasRefused(world.pool, buddy.userId, [tokensOf(buddy).phone])).toBe(true);
    expect(api.endings.told).toEqual([{ buddyId: buddy.buddyId, checkInIds: [requestId] }]);
    expect((await page(link)).status).toBe(404);
    for (const step of ['see', 'export', 'withdraw', 'block', 'block-everybody']) {
      const { status, text } = await press(link, step);
      expect([status, text]).toEqual([404, expect.stringContaining('There is nothing here')]);
    }
    // A second press says the same again.
    expect(await press(link, 'erase')).toMatchObject({ status: 200, text: expect.stringContaining('is deleted') });
  });

  it('waits for a legal hold, which the page says in plain words; the buddy is not asked meanwhile', async () => {
    const buddy = await nameBuddy(world);
    const link = await invited(world.pool, buddy.buddyId);
    const who = { role: 'admin' } as const;
    const json = { subjectId: buddy.subjectId, reason: 'investigation' };
    const placed = await api.ask('POST', '/legal-holds', { who, json });
    expect(placed.status).toBe(201);
    for (let time = 0; time < 2; time += 1) {
      const { status, text } = await press(link, 'erase');
      expect(status).toBe(409);
      expect(text).toContain('the law obliges us to keep it for now');
      expect(text).not.toContain('investigation');
    }
    expect(await buddyOf(world.pool, buddy.buddyId)).toMatchObject({ isActive: false });
    expect(await recordsOf(buddy)).toBeGreaterThan(0);
    expect(await audited(world.pool, 'subject.erased', buddy.subjectId)).toMatchObject([
      { outcome: 'refused' },
      { outcome: 'refused' },
    ]);
    await api.ask('DELETE', `/legal-holds/${placed.body.holdId}`, { who });
    expect((await press(link, 'erase')).status).toBe(200);
    expect(await recordsOf(buddy)).toBe(0);
  });

  it('at the same moment as a withdrawal comes to the same end', async () => {
    for (let round = 0; round < 5; round += 1) {
      const buddy = await nameBuddy(world);
      const link = await invited(world.pool, buddy.buddyId);
      const both = await Promise.all([press(link, 'erase'), press(link, 'withdraw'), press(link, 'see')]);
      expect(both[0].status).toBe(200);
      for (const { status } of both) expect([200, 404]).toContain(status);
      expect(await recordsOf(buddy)).toBe(0);
    }
  });
});

describe('erasing the user', () => {
  it('erases whom they have named, their profile and their refusals; who is held is kept, asked no more, and audited', async () => {
    const userId = await createSubject(world.pool, 'system');
    const gone = await nameBuddy(world, { userId });
    const kept = await nameBuddy(world, { userId, rank: 2 });
    const elsewhere = await nameBuddy(world);
    await invited(world.pool, gone.buddyId);
    await checkedIn(world, kept, { isOpen: true });
    const nameRecordId = await world.vault.seal({
      subjectId: userId,
      kind: 'name',
      value: SealedValue.of('name', MARKED.mentorName),
    });
    await world.pool.query('INSERT INTO user_profiles (user_id, name_record_id) VALUES ($1, $2)', [
      userId,
      nameRecordId,
    ]);
    await world.pool.query(
      `INSERT INTO buddy_refusals (user_id, token, token_version, reason) VALUES ($1, $2, 1, 'declined')`,
      [userId, randomBytes(32)],
    );
    const hold = { subjectId: kept.subjectId, reason: 'dispute', actor: userId } as const;
    await inTransaction(world.pool, (tx) => placeHold(tx, hold));
    expect(await api.deps.vault.eraseSubject(userId, 'system')).toBe(true);
    expect([await recordsOf(gone), await recordsOf(elsewhere)]).toEqual([0, 3]);
    expect(await recordsOf(kept)).toBe(3);
    expect(await audited(world.pool, 'subject.erased', kept.subjectId)).toMatchObject([{ outcome: 'refused' }]);
    for (const { buddyId } of [gone, kept]) {
      expect(await buddyOf(world.pool, buddyId)).toMatchObject({ isActive: false, removedAt: expect.any(Date) });
    }
    expect(await buddyOf(world.pool, elsewhere.buddyId)).toMatchObject({ isActive: true, removedAt: null });
    const left = `SELECT (SELECT count(*)::int FROM user_profiles WHERE user_id = $1) AS profiles,
                         (SELECT count(*)::int FROM buddy_refusals WHERE user_id = $1) AS refusals`;
    expect((await world.pool.query(left, [userId])).rows).toEqual([{ profiles: 0, refusals: 0 }]);
    const { rows } = await world.pool.query(
      'SELECT buddy_id FROM buddy_contacts WHERE user_id = $1 AND is_end_untold ORDER BY rank',
      [userId],
    );
    expect(rows.map(({ buddy_id: id }) => id)).toEqual([gone.buddyId, kept.buddyId]);
  });
});
