/** What is behind any link of a buddy: their buttons, what is held, and a file of it. */
import { createHash, randomBytes } from 'node:crypto';
import { SealedValue } from '../../../domain/sealed';
import { newLinkToken } from '../../../vault/link-tokens';
import { MARKED } from '../../marked-people';
import { ApiUnderTest } from '../api/api-under-test';
import { audited, buddyOf, type BuddyWorld, checkedIn, invited, nameBuddy } from './people';
import { openRights, pressRights } from './rights-page';

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

const page = (token: string) => openRights(api, token);
const press = (token: string, step: string) => pressRights(api, token, step);

const IP = '203.0.113.77';
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
    `INSERT INTO buddy_verification_audit (buddy_id, event, version, ip_record_id, user_agent_record_id, happened_at)
     VALUES ($1, 'sent', 1, NULL, NULL, now() - interval '3 minutes'),
            ($1, 'accepted', 1, $2, $3, now() - interval '2 minutes'),
            ($1, 'withdrawn', NULL, $4, $3, now() - interval '1 minute')`,
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
