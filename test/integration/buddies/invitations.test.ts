/** Who may be asked, how often: the limits hold when many ask at once, through whatever accounts. */
import { randomUUID } from 'node:crypto';
import { MARKED } from '../../marked-people';
import { ApiUnderTest } from '../api/api-under-test';
import { asked, buddyOf, DAY, HOUR, invite, newBuddy, newUser, press, type TestUser } from './buddies-under-test';
import { newPhone } from './check-in-world';
import { addBuddy } from './people';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(() => api.stop());

const mailsTo = (buddyId: string) => api.buddies.mails.filter((mail) => mail.buddyId === buddyId);

test('one e-mail is sent to one’s own buddy, and says who asks', async () => {
  const who = await newUser(api);
  const buddyId = await newBuddy(api, who);
  const { status, body, headers } = await invite(api, who, buddyId);
  expect(status).toBe(202);
  expect(headers.get('location')).toBe(`/api/buddy/${buddyId}`);
  expect(body).toMatchObject({ state: 'sending', buddyContactId: buddyId });
  expect(Date.parse(body.expiresAt) - Date.now()).toBeGreaterThan(7 * DAY - 60_000);
  const shown = await buddyOf(api, who, buddyId);
  expect(shown).toMatchObject({
    status: 'pending',
    invitations: { sent: 1, left: 2, nextAt: expect.any(String), linkExpiresAt: body.expiresAt },
  });
  const { rows } = await api.database.owner.query(
    `SELECT type, state FROM app_events WHERE object_id = $1 AND subject_id = $2`,
    [buddyId, who.userId],
  );
  expect(rows).toEqual([{ type: 'buddy.pending', state: 'pending' }]);
});

test('of a link only the hash is stored, and no token in any column', async () => {
  const { buddyId, token } = await asked(api);
  const { rows } = await api.database.owner.query(
    `SELECT i::text AS invitation, b::text AS buddy, octet_length(link_hash) AS bytes
       FROM buddy_invitations i JOIN buddy_contacts b USING (buddy_id) WHERE buddy_id = $1`,
    [buddyId],
  );
  expect(rows).toMatchObject([{ bytes: 32 }]);
  expect(token).toMatch(/^[\w-]{64}$/);
  expect(JSON.stringify(rows)).not.toContain(token);
  expect(api.logLines.join('\n')).not.toContain(token);
});

test('without a profile nobody is asked', async () => {
  const who = { role: 'user', subject: randomUUID() } as const;
  const buddyId = await newBuddy(api, who);
  const { userId } = (await api.ask('GET', '/api/buddy', { who })).body;
  const answer = await invite(api, { ...who, userId }, buddyId);
  expect(answer).toMatchObject({ status: 409, body: { code: 'profile-required' } });
  expect(mailsTo(buddyId)).toEqual([]);
});

test('in somebody else’s name, or of somebody else’s buddy, nothing is found', async () => {
  const [who, other] = [await newUser(api), await newUser(api)];
  const [own, theirs] = [await newBuddy(api, who), await newBuddy(api, other)];
  for (const [userId, buddyId] of [
    [other.userId, own],
    [who.userId, theirs],
    [other.userId, theirs],
    [who.userId, randomUUID()],
  ] as const) {
    expect(await invite(api, { ...who, userId }, buddyId)).toMatchObject({ status: 404, body: { code: 'not-found' } });
  }
  expect([...mailsTo(own), ...mailsTo(theirs)]).toEqual([]);
});

test('ten requests at once send one e-mail', async () => {
  const who = await newUser(api);
  const buddyId = await newBuddy(api, who);
  const answers = await Promise.all(Array.from({ length: 10 }, () => invite(api, who, buddyId)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([202, ...Array(9).fill(429)]);
  const refused = answers.find(({ status }) => status === 429);
  expect(refused?.body.code).toBe('buddy-asked-lately');
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(3_500);
  expect(Number(refused?.headers.get('retry-after'))).toBeLessThanOrEqual(3_600);
  expect(mailsTo(buddyId)).toHaveLength(1);
});

test('the exclusion constraint alone keeps a second e-mail out of the hour', async () => {
  const { buddyId } = await asked(api);
  const again = api.database.owner.query(
    `INSERT INTO buddy_invitations (invitation_id, buddy_id, version, link_hash, asked_by, expires_at, cooldown, message_id)
     VALUES (gen_random_uuid(), $1, 2, sha256('x'), 'user', now(), tstzrange(now(), now() + interval '1 hour'), gen_random_uuid())`,
    [buddyId],
  );
  await expect(again).rejects.toMatchObject({ code: '23P01' });
});

test('one an hour, and three in all', async () => {
  const { who, buddyId } = await asked(api);
  for (let nth = 2; nth <= 3; nth += 1) {
    expect((await invite(api, who, buddyId)).status).toBe(429);
    await api.buddies.timePasses(HOUR);
    expect((await invite(api, who, buddyId)).status).toBe(202);
  }
  await api.buddies.timePasses(30 * DAY);
  const fourth = await Promise.all(Array.from({ length: 5 }, () => invite(api, who, buddyId)));
  for (const answer of fourth) expect(answer).toMatchObject({ status: 409, body: { code: 'buddy-asked-enough' } });
  expect(mailsTo(buddyId).map(({ version }) => version)).toEqual([1, 2, 3]);
  expect((await buddyOf(api, who, buddyId)).invitations).toMatchObject({ sent: 3, left: 0, nextAt: null });
});

test('removing somebody and adding them anew gives back neither the hour nor the three', async () => {
  const email = `${randomUUID()}@example.org`;
  const { who, buddyId } = await asked(api, { email });
  const again = async (before: string): Promise<string> => {
    await api.ask('DELETE', `/api/buddy/${before}`, { who });
    return newBuddy(api, who, { email });
  };
  let newest = await again(buddyId);
  expect((await invite(api, who, newest)).body.code).toBe('buddy-asked-lately');
  for (let nth = 2; nth <= 3; nth += 1) {
    await api.buddies.timePasses(4 * DAY);
    expect((await invite(api, who, newest)).status).toBe(202);
    newest = await again(newest);
  }
  await api.buddies.timePasses(31 * DAY);
  expect((await invite(api, who, newest)).body.code).toBe('buddy-asked-enough');
});

describe('another address for the same number', () => {
  const elsewhere = (phoneNumber: string) => ({ phoneNumber, email: `${randomUUID()}@example.org` });
  /** Asks at a new address as often as may be. @returns the entry */
  async function askAllOf(who: TestUser, phoneNumber: string): Promise<string> {
    const buddyId = await newBuddy(api, who, elsewhere(phoneNumber));
    for (let nth = 1; nth <= 3; nth += 1) {
      expect((await invite(api, who, buddyId)).status).toBe(202);
      await api.buddies.timePasses(31 * DAY);
    }
    return buddyId;
  }
  const remove = (who: TestUser, buddyId: string) => api.ask('DELETE', `/api/buddy/${buddyId}`, { who });

  test('gives three more once, and then none', async () => {
    const [who, phoneNumber] = [await newUser(api), newPhone()];
    for (let nth = 1; nth <= 2; nth += 1) await remove(who, await askAllOf(who, phoneNumber));
    const third = await newBuddy(api, who, elsewhere(phoneNumber));
    expect((await buddyOf(api, who, third)).invitations).toMatchObject({ sent: 0, left: 0 });
    expect(await invite(api, who, third)).toMatchObject({ status: 409, body: { code: 'buddy-asked-enough' } });
    expect(mailsTo(third)).toEqual([]);
    // Of another user this number has heard nothing.
    const other = await newUser(api);
    expect((await invite(api, other, await newBuddy(api, other, elsewhere(phoneNumber)))).status).toBe(202);
  });

  test('gives the last of them to one of many requests that come at once', async () => {
    const [who, phoneNumber] = [await newUser(api), newPhone()];
    await remove(who, await askAllOf(who, phoneNumber));
    const second = await newBuddy(api, who, elsewhere(phoneNumber));
    for (let nth = 1; nth <= 2; nth += 1) {
      expect((await invite(api, who, second)).status).toBe(202);
      await api.buddies.timePasses(31 * DAY);
    }
    await remove(who, second);
    const third = await newBuddy(api, who, elsewhere(phoneNumber));
    expect((await buddyOf(api, who, third)).invitations).toMatchObject({ sent: 0, left: 1 });
    const answers = await Promise.all(Array.from({ length: 5 }, () => invite(api, who, third)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([202, ...Array(4).fill(409)]);
    expect(mailsTo(third)).toHaveLength(1);
  });

  test('is written to an hour after the one before it', async () => {
    const [who, phoneNumber] = [await newUser(api), newPhone()];
    const first = await newBuddy(api, who, elsewhere(phoneNumber));
    await invite(api, who, first);
    await remove(who, first);
    const second = await newBuddy(api, who, elsewhere(phoneNumber));
    expect((await invite(api, who, second)).body.code).toBe('buddy-asked-lately');
  });
});

test('one person is asked no more than three times a week, through ten accounts at once too', async () => {
  const email = MARKED.email;
  const everybody = await Promise.all(
    Array.from({ length: 10 }, async () => {
      const who = await newUser(api);
      return { who, buddyId: await newBuddy(api, who, { email }) };
    }),
  );
  const answers = await Promise.all(everybody.map(({ who, buddyId }) => invite(api, who, buddyId)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(3).fill(202), ...Array(7).fill(429)]);
  const refused = answers.find(({ status }) => status === 429);
  // No word that tells that somebody else has named them.
  expect(refused?.body.code).toBe('buddy-asked-lately');
  expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(6 * 86_400);
});

test('a repeated request gets the same answer and sends nothing; its key is for one buddy', async () => {
  const who = await newUser(api);
  const [buddyId, other] = [await newBuddy(api, who), await newBuddy(api, who)];
  const key = randomUUID();
  const [first, second] = await Promise.all([invite(api, who, buddyId, key), invite(api, who, buddyId, key)]);
  expect(first).toMatchObject({ status: 202, body: second?.body });
  await api.buddies.timePasses(2 * HOUR);
  expect((await invite(api, who, buddyId, key)).status).toBe(202);
  expect(mailsTo(buddyId)).toHaveLength(1);
  expect((await invite(api, who, other, key)).body.code).toBe('idempotency-key-reused');
});

test('who has agreed is not asked again, nor who has declined, by this user or in a new entry', async () => {
  const email = `${randomUUID()}@example.org`;
  const yes = await asked(api);
  const no = await asked(api, { email });
  await press(api, yes.token, 'accept');
  await press(api, no.token, 'decline');
  await api.buddies.timePasses(2 * HOUR);
  expect((await invite(api, yes.who, yes.buddyId)).body.code).toBe('buddy-already-verified');
  expect((await invite(api, no.who, no.buddyId)).body.code).toBe('buddy-has-refused');
  await api.ask('DELETE', `/api/buddy/${no.buddyId}`, { who: no.who });
  const json = { name: 'Ann', phoneNumber: '+14155550190', email };
  const anew = await api.ask('POST', '/api/buddy', { who: no.who, json });
  expect(anew).toMatchObject({ status: 409, body: { code: 'buddy-has-refused' } });
});

describe('one user', () => {
  /** Entries of this user, more than may stand on a list at a time. */
  const entries = (userId: string, count: number, from = 0) =>
    Promise.all(
      Array.from({ length: count }, (_, nth) =>
        addBuddy(api.deps, { userId, phone: newPhone(), rank: from + nth + 1, isVerified: false }),
      ),
    );
  const inviteAll = (who: TestUser, buddies: readonly { buddyId: string }[]) =>
    Promise.all(buddies.map(({ buddyId }) => invite(api, who, buddyId)));
  const taken = (answers: readonly { status: number }[]) => answers.filter(({ status }) => status === 202).length;

  test('has ten e-mails sent in a day, to whomever and also at once, and hears when the next may go', async () => {
    const who = await newUser(api);
    const answers = await inviteAll(who, await entries(who.userId, 20));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(10).fill(202), ...Array(10).fill(429)]);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body).toMatchObject({ code: 'too-many-invitations', hint: expect.stringContaining('Retry-After') });
    const wait = Number(refused?.headers.get('retry-after'));
    expect(wait).toBeGreaterThan(86_000);
    expect(wait).toBeLessThanOrEqual(86_400);
    const other = await newUser(api);
    expect((await invite(api, other, await newBuddy(api, other))).status).toBe(202);
  });

  test('gets none of them back by taking people off the list, and has thirty in a month', async () => {
    const who = await newUser(api);
    let from = 0;
    for (const [count, most] of [
      [11, 10],
      [11, 10],
      [11, 10],
      [2, 0],
    ] as const) {
      const buddies = await entries(who.userId, count, from);
      from += count;
      expect(taken(await inviteAll(who, buddies))).toBe(most);
      for (const { buddyId } of buddies) await api.ask('DELETE', `/api/buddy/${buddyId}`, { who });
      const [next] = await entries(who.userId, 1, from);
      from += 1;
      expect((await invite(api, who, next?.buddyId ?? '')).body.code).toBe('too-many-invitations');
      await api.buddies.timePasses(DAY);
    }
    await api.buddies.timePasses(27 * DAY);
    const [later] = await entries(who.userId, 1, from);
    expect((await invite(api, who, later?.buddyId ?? '')).status).toBe(202);
  });
});

describe('an e-mail of which nothing was sent', () => {
  test('does not count, and lets the link before it be answered again', async () => {
    const { who, buddyId } = await asked(api);
    const [first] = mailsTo(buddyId);
    await api.buddies.steps.noteInvitationSent({ messageId: first?.messageId ?? '', at: new Date().toISOString() });
    await api.buddies.timePasses(HOUR);
    await invite(api, who, buddyId);
    const second = mailsTo(buddyId)[1];
    expect((await press(api, api.buddies.token(buddyId, 1))).status).toBe(410);
    const taken = { buddyId, messageId: second?.messageId ?? '' };
    await Promise.all([api.buddies.steps.takeInvitationBack(taken), api.buddies.steps.takeInvitationBack(taken)]);
    expect((await buddyOf(api, who, buddyId)).invitations).toMatchObject({ sent: 1, left: 2, nextAt: null });
    expect((await press(api, api.buddies.token(buddyId, 1))).status).toBe(200);
  });

  test('leaves its buddy as if never asked, and the next link is another one', async () => {
    const { who, buddyId } = await asked(api);
    await api.buddies.steps.takeInvitationBack({ buddyId, messageId: mailsTo(buddyId)[0]?.messageId ?? '' });
    expect((await buddyOf(api, who, buddyId)).invitations).toMatchObject({ sent: 0, left: 3, linkExpiresAt: null });
    expect((await press(api, api.buddies.token(buddyId, 1))).status).toBe(410);
    expect((await invite(api, who, buddyId)).status).toBe(202);
    expect(mailsTo(buddyId).map(({ version }) => version)).toEqual([1, 2]);
  });

  test('one that was sent counts, whatever is told of it later', async () => {
    const { who, buddyId } = await asked(api);
    const messageId = mailsTo(buddyId)[0]?.messageId ?? '';
    const at = new Date().toISOString();
    await api.buddies.steps.noteInvitationSent({ messageId, at });
    await api.buddies.steps.noteInvitationSent({ messageId, at });
    await api.buddies.steps.takeInvitationBack({ buddyId, messageId });
    expect((await buddyOf(api, who, buddyId)).invitations).toMatchObject({ sent: 1, lastSentAt: at });
    const { body } = await api.ask('GET', `/api/buddy/${buddyId}/history`, { who });
    expect(body.events).toEqual([{ event: 'sent', at, linkVersion: 1 }]);
  });
});
