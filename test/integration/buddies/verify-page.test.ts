/** The pages behind the links of an invitation: only their button acts, and only for the newest link. */
import { randomBytes, randomUUID } from 'node:crypto';
import { QuestionRefused, TemporalNotInTime } from '../../../temporal/errors';
import { MARKED } from '../../marked-people';
import { ApiUnderTest } from '../api/api-under-test';
import { asked, buddyOf, DAY, HOUR, invite, newBuddy, newUser, open, press } from './buddies-under-test';
import { newPhone } from './check-in-world';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start({ PRIVACY_POLICY_URL: 'https://example.org/privacy' });
});
afterAll(() => api.stop());
afterEach(() => {
  api.buddies.down = null;
});

const statusOf = async ({ who, buddyId }: Awaited<ReturnType<typeof asked>>) =>
  (await buddyOf(api, who, buddyId)).status;
const eventsOf = async ({ who, buddyId }: Awaited<ReturnType<typeof asked>>) =>
  (await api.ask('GET', `/api/buddy/${buddyId}/history`, { who })).body.events.map(
    ({ event }: { event: string }) => event,
  );
const expired = async () => {
  const one = await asked(api);
  await api.buddies.timePasses(7 * DAY);
  await api.buddies.steps.expireInvitation({ buddyId: one.buddyId, version: 1 });
  return one;
};

describe('GET /api/buddy/verify', () => {
  test('shows who asks and what it means, with one button for the answer that was asked for', async () => {
    const { token } = await asked(api, { phoneNumber: MARKED.userPhone });
    const page = await open(api, token);
    expect(page.status).toBe(200);
    expect(page.text.match(/<button/g)).toHaveLength(1);
    expect(page.text).toContain('<button type="submit">Yes, I will be a buddy</button>');
    expect(page.text).toContain('<title>Zephyrine would like you to be their buddy</title>');
    expect(page.text).toContain('that ends in 42.');
    expect(page.text).toContain('https://example.org/privacy');
    expect(page.text).toContain(`href="/api/buddy/rights/${token}"`);
    for (const hidden of [MARKED.userPhone, '@example.org', 'Quillfeather', 'Brookwater']) {
      expect(page.text).not.toContain(hidden);
    }
    const no = await open(api, token, 'decline');
    expect(no.text.match(/<button/g)).toHaveLength(1);
    expect(no.text).toContain('No, I do not want to');
  });

  test('is never kept, framed or told on to anybody, and needs no script', async () => {
    const { headers, text } = await open(api, (await asked(api)).token);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'");
    expect(text).not.toContain('<script');
    expect(text.length).toBeLessThan(20_000);
  });

  test('changes nothing, however often a scanner follows the links', async () => {
    const one = await asked(api);
    const rows = async () =>
      (
        await api.database.owner.query(
          'SELECT b::text AS b, (SELECT count(*) FROM buddy_verification_audit) AS n, (SELECT string_agg(i::text, $2) FROM buddy_invitations i WHERE buddy_id = $1) AS i FROM buddy_contacts b WHERE buddy_id = $1',
          [one.buddyId, ','],
        )
      ).rows;
    const before = await rows();
    for (const action of ['accept', 'decline']) {
      const url = `http://127.0.0.1:${api.port}/api/buddy/verify?token=${one.token}&action=${action}`;
      for (const method of ['GET', 'HEAD']) expect((await fetch(url, { method })).status).toBe(200);
    }
    expect(await rows()).toEqual(before);
    expect(await statusOf(one)).toBe('pending');
    const sealed = await api.database.owner.query(
      `SELECT count(*)::int AS n FROM vault_records r JOIN buddy_contacts b USING (subject_id)
        WHERE b.buddy_id = $1 AND r.kind IN ('ip', 'user-agent')`,
      [one.buddyId],
    );
    expect(sealed.rows).toEqual([{ n: 0 }]);
  });

  test('is in the language that the user chose for them', async () => {
    const { token } = await asked(api, { language: 'es' });
    const page = await open(api, token);
    expect(page.text).toContain('<html lang="es">');
    expect(page.text).toContain('Sí, seré su persona de confianza');
    expect((await press(api, token)).text).toContain('Ya es persona de confianza');
  });

  test('of an unknown link speaks the language of the browser', async () => {
    const unknown = await open(api, randomBytes(48).toString('base64url'), 'accept', {
      headers: { 'Accept-Language': 'es-MX,es' },
    });
    expect(unknown).toMatchObject({ status: 404, text: expect.stringContaining('Este enlace no abre nada') });
  });
});

describe('POST /api/buddy/verify', () => {
  test('accepts, once; whoever opens either link then reads the same', async () => {
    const one = await asked(api);
    const page = await press(api, one.token, 'accept');
    expect(page).toMatchObject({ status: 200, text: expect.stringContaining('You are a buddy now') });
    expect(await statusOf(one)).toBe('verified');
    for (const again of [
      await press(api, one.token, 'accept'),
      await press(api, one.token, 'decline'),
      await open(api, one.token, 'accept'),
      await open(api, one.token, 'decline'),
    ]) {
      expect(again).toMatchObject({ status: 200, text: expect.stringContaining('You are a buddy now') });
    }
    expect(await eventsOf(one)).toEqual(['accepted', 'sent']);
    expect(await buddyOf(api, one.who, one.buddyId)).toMatchObject({
      status: 'verified',
      canBeAsked: true,
      verifiedAt: expect.any(String),
      invitations: { left: 0, linkExpiresAt: null },
    });
    const { rows } = await api.database.owner.query(
      'SELECT type FROM app_events WHERE object_id = $1 ORDER BY position',
      [one.buddyId],
    );
    expect(rows.map(({ type }) => type)).toEqual(['buddy.pending', 'buddy.verified']);
  });

  test('declines, for good', async () => {
    const one = await asked(api);
    expect(await press(api, one.token, 'decline')).toMatchObject({
      status: 200,
      text: expect.stringContaining('You have declined'),
    });
    expect(await statusOf(one)).toBe('declined');
    expect((await press(api, one.token, 'accept')).text).toContain('You have declined');
    expect(await eventsOf(one)).toEqual(['declined', 'sent']);
    const { rows } = await api.database.owner.query(
      'SELECT is_active, declined_at FROM buddy_contacts WHERE buddy_id = $1',
      [one.buddyId],
    );
    expect(rows).toEqual([{ is_active: false, declined_at: expect.any(Date) }]);
  });

  test('of ten who press both buttons at once, the first counts and all read the same', async () => {
    const one = await asked(api);
    const pages = await Promise.all(
      Array.from({ length: 10 }, (_, n) => press(api, one.token, n % 2 === 0 ? 'accept' : 'decline')),
    );
    expect(new Set(pages.map(({ text }) => /<h1>(.*)<\/h1>/.exec(text)?.[1])).size).toBe(1);
    expect((await eventsOf(one)).filter((event: string) => event !== 'sent')).toHaveLength(1);
  });

  test('seals the address and the browser of the press, and nothing shows them', async () => {
    const one = await asked(api);
    await press(api, one.token, 'accept', { 'User-Agent': 'Quillfeather/1.0' });
    const { rows } = await api.database.owner.query(
      `SELECT ip.kind AS ip, ua.kind AS ua, ip.subject_id = b.subject_id AND ua.subject_id = b.subject_id AS is_theirs
         FROM buddy_verification_audit a JOIN buddy_contacts b USING (buddy_id)
         JOIN vault_records ip ON ip.record_id = a.ip_record_id JOIN vault_records ua ON ua.record_id = a.user_agent_record_id
        WHERE a.buddy_id = $1 AND a.event = 'accepted'`,
      [one.buddyId],
    );
    expect(rows).toEqual([{ ip: 'ip', ua: 'user-agent', is_theirs: true }]);
    const shown = await api.ask('GET', `/api/buddy/${one.buddyId}/history`, { who: one.who });
    expect(shown.text).not.toMatch(/Quillfeather|127\.0\.0\.1|::1/);
  });

  test.each(['accept', 'decline', 'renew'])('a guessed link %ss nothing', async (action) => {
    await asked(api);
    const before = await api.footprint();
    for (const token of [randomBytes(48).toString('base64url'), 'short', '', `${'a'.repeat(64)}'`]) {
      expect(await press(api, token, action)).toMatchObject({
        status: 404,
        text: expect.stringContaining('opens nothing'),
      });
    }
    expect(await api.footprint()).toEqual(before);
  });

  test('an action that was tampered with is a page that says so, and changes nothing', async () => {
    const one = await asked(api);
    const before = await api.footprint();
    for (const action of ['', 'verify', 'Accept', 'accept,decline', '<script>']) {
      expect((await press(api, one.token, action)).status).toBe(400);
      expect(await open(api, one.token, encodeURIComponent(action))).toMatchObject({
        status: 400,
        text: expect.stringContaining('changed on its way'),
      });
    }
    expect((await open(api, one.token, 'accept&action=decline')).status).toBe(400);
    expect((await open(api, `${one.token}&token=x`)).status).toBe(404);
    expect(await api.footprint()).toEqual(before);
    expect(await statusOf(one)).toBe('pending');
  });

  test('a newer link replaces the one before it', async () => {
    const one = await asked(api);
    await api.buddies.timePasses(HOUR);
    await invite(api, one.who, one.buddyId);
    for (const page of [await open(api, one.token), await press(api, one.token)]) {
      expect(page).toMatchObject({ status: 410, text: expect.stringContaining('There is a newer link') });
    }
    expect(await statusOf(one)).toBe('pending');
    await press(api, api.buddies.token(one.buddyId, 2));
    expect(await statusOf(one)).toBe('verified');
  });

  test('after they were taken off the list, their link is nobody’s', async () => {
    const one = await asked(api);
    await api.ask('DELETE', `/api/buddy/${one.buddyId}`, { who: one.who });
    for (const page of [
      await open(api, one.token),
      await press(api, one.token),
      await press(api, one.token, 'renew'),
    ]) {
      expect(page).toMatchObject({ status: 404, text: expect.not.stringContaining('Zephyrine') });
    }
  });

  test('is answered from the row where the workflow is over', async () => {
    const one = await asked(api);
    await press(api, one.token);
    api.buddies.over.add(one.buddyId);
    expect((await press(api, one.token)).text).toContain('You are a buddy now');
    const other = await asked(api);
    api.buddies.over.add(other.buddyId);
    expect(await press(api, other.token)).toMatchObject({ status: 410, text: expect.stringContaining('has run out') });
    expect(await statusOf(other)).toBe('pending');
  });

  test.each([new TemporalNotInTime(), new QuestionRefused()])('asks to press again when %s', async (down) => {
    const one = await asked(api);
    api.buddies.down = down;
    const page = await press(api, one.token);
    expect(page.status).toBe(503);
    expect(page.headers.get('content-type')).toContain('text/html');
    api.buddies.down = null;
    expect((await press(api, one.token)).status).toBe(200);
  });
});

describe('a link that has run out', () => {
  test('is gone, says nothing of who asked, and has one button', async () => {
    const one = await expired();
    expect(await statusOf(one)).toBe('expired');
    for (const page of [
      await open(api, one.token),
      await press(api, one.token),
      await open(api, one.token, 'decline'),
    ]) {
      expect(page.status).toBe(410);
      expect(page.text.match(/<button/g)).toHaveLength(1);
      expect(page.text).toContain('Ask for a new link');
      expect(page.text).not.toContain('Zephyrine');
    }
    expect(await eventsOf(one)).toEqual(['expired']);
  });

  test('also before anybody has noted it', async () => {
    const one = await asked(api);
    await api.buddies.timePasses(7 * DAY);
    expect((await press(api, one.token)).status).toBe(410);
    expect(await statusOf(one)).toBe('pending');
  });

  test('asks the user once for a new one, who sends it', async () => {
    const one = await expired();
    const pages = await Promise.all(Array.from({ length: 5 }, () => press(api, one.token, 'renew')));
    for (const page of pages) {
      expect(page).toMatchObject({ status: 200, text: expect.stringContaining('We have passed it on') });
      expect(page.text).not.toContain('Zephyrine');
    }
    expect((await open(api, one.token)).text).toContain('We have passed it on');
    expect(await eventsOf(one)).toEqual(['renewal-asked', 'expired']);
    expect(api.buddies.mails.filter(({ buddyId }) => buddyId === one.buddyId)).toHaveLength(1);
    expect((await buddyOf(api, one.who, one.buddyId)).invitations.renewalAskedAt).not.toBeNull();
    const { rows } = await api.database.owner.query(
      'SELECT type FROM app_events WHERE object_id = $1 ORDER BY position',
      [one.buddyId],
    );
    expect(rows.map(({ type }) => type)).toEqual(['buddy.pending', 'buddy.expired', 'buddy.renewal-asked']);
    expect((await invite(api, one.who, one.buddyId)).status).toBe(202);
    expect(await buddyOf(api, one.who, one.buddyId)).toMatchObject({
      status: 'pending',
      invitations: { sent: 2, left: 1 },
    });
    expect((await press(api, api.buddies.token(one.buddyId, 2))).status).toBe(200);
    const by = await api.database.owner.query(
      'SELECT asked_by FROM buddy_invitations WHERE buddy_id = $1 ORDER BY version',
      [one.buddyId],
    );
    expect(by.rows).toEqual([{ asked_by: 'user' }, { asked_by: 'buddy' }]);
  });

  test('is the last one after three', async () => {
    const one = await asked(api);
    for (let nth = 2; nth <= 3; nth += 1) {
      await api.buddies.timePasses(HOUR);
      await invite(api, one.who, one.buddyId);
    }
    await api.buddies.timePasses(8 * DAY);
    const token = api.buddies.token(one.buddyId, 3);
    for (const page of [await open(api, token), await press(api, token, 'renew')]) {
      expect(page).toMatchObject({ status: 410, text: expect.stringContaining('No new one can be sent') });
    }
    expect((await buddyOf(api, one.who, one.buddyId)).invitations.renewalAskedAt).toBeNull();
  });

  test.each([
    ['three to their address', 3, { email: `${randomUUID()}@example.org` }],
    ['six to their number', 6, { phoneNumber: newPhone() }],
  ])('is the last one after %s, through whatever entries', async (_what, times, same) => {
    const who = await newUser(api);
    let buddyId = await newBuddy(api, who, same);
    for (let nth = 1; nth <= times; nth += 1) {
      if (nth > 1) {
        await api.ask('DELETE', `/api/buddy/${buddyId}`, { who });
        buddyId = await newBuddy(api, who, same);
      }
      expect((await invite(api, who, buddyId)).status).toBe(202);
      await api.buddies.timePasses(8 * DAY);
    }
    const token = api.buddies.token(buddyId);
    for (const page of [await open(api, token), await press(api, token), await press(api, token, 'renew')]) {
      expect(page).toMatchObject({ status: 410, text: expect.stringContaining('No new one can be sent') });
    }
  });
});
