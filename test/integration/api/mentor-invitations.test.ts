import { randomUUID } from 'node:crypto';
import { eraseSubjectRows } from '../../../db/erasure';
import { findMentorOfAccount, unlinkMentor } from '../../../db/mentor-accounts';
import { deleteMentor } from '../../../db/mentors';
import { inTransaction } from '../../../db/pool';
import { type PageVisitor, PagesUnderTest } from './pages-under-test';

let pages: PagesUnderTest;
beforeAll(async () => {
  pages = await PagesUnderTest.start();
});
afterAll(() => pages.stop());

const admin = { who: { role: 'admin' } } as const;
const invite = (mentorId: string, key?: string) =>
  pages.api.ask('POST', `/mentors/${mentorId}/invitation`, {
    ...admin,
    json: {},
    ...(key === undefined ? {} : { raw: { headers: { 'Idempotency-Key': key } } }),
  });
const accountOf = async (mentorId: string): Promise<string | null> => {
  const text = 'SELECT account_subject_id FROM mentors WHERE mentor_id = $1';
  return (await pages.api.database.owner.query(text, [mentorId])).rows[0].account_subject_id;
};
/** Whether the page asks for a code first. */
const isClosedTo = async (visitor: PageVisitor): Promise<boolean> =>
  (await visitor.open('/mentor')).headers.get('location') === '/mentor/join';
const audited = async (objectId: string) => {
  const text = 'SELECT action FROM audit_entries WHERE object_id = $1 ORDER BY at, entry_id';
  return (await pages.api.database.owner.query(text, [objectId])).rows.map(({ action }) => action);
};

describe('an invitation', () => {
  test('is a code for seven days, of which only a keyed hash is stored', async () => {
    const { mentorId } = await pages.addMentor();
    const { status, body } = await invite(mentorId);
    expect([status, body]).toEqual([
      201,
      {
        mentorId,
        code: expect.stringMatching(/^[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}$/),
        joinUrl: `${pages.url}/mentor/join`,
        expiresAt: expect.any(String),
      },
    ]);
    expect(Date.parse(body.expiresAt) - Date.now()).toBeGreaterThan(6.9 * 24 * 3_600_000);
    const { rows } = await pages.api.database.owner.query('SELECT i::text AS row FROM mentor_invitations i');
    const stored = JSON.stringify(rows);
    expect(stored).toContain(mentorId);
    expect(stored).not.toContain(body.code);
    expect(stored).not.toContain(body.code.replaceAll('-', ''));
    expect(pages.api.logLines.join('\n')).not.toContain(body.code);
  });

  test('is the same when its request is repeated under a key, and another one otherwise', async () => {
    const { mentorId } = await pages.addMentor();
    const key = randomUUID();
    const [one, again] = [await invite(mentorId, key), await invite(mentorId, key)];
    expect(again.body).toEqual(one.body);
    const other = await invite(mentorId);
    expect(other.body.code).not.toBe(one.body.code);
    expect(await invite(mentorId, key)).toMatchObject({ status: 410, body: { code: 'already-deleted' } });
  });

  test('links the account of whoever enters it with the mentor, once, with an audit entry', async () => {
    const { mentorId } = await pages.addMentor();
    const code = await pages.code(mentorId);
    const visitor = await pages.signedIn('mentor', randomUUID());
    expect(await isClosedTo(visitor)).toBe(true);
    const answer = await visitor.send('/mentor/join', { code: ` ${code.toLowerCase().replaceAll('-', ' ')} ` });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/mentor?done=joined']);
    expect((await visitor.open('/mentor?done=joined')).text).toContain('Welcome.');
    const account = await accountOf(mentorId);
    expect(await findMentorOfAccount(pages.api.deps.pool, account ?? '')).toBe(mentorId);
    expect(await audited(mentorId)).toEqual(['mentor.created', 'mentor.invited', 'mentor.joined']);

    const second = await pages.signedIn('mentor', randomUUID());
    expect(await second.send('/mentor/join', { code })).toMatchObject({
      status: 422,
      text: expect.stringContaining('This code does not count'),
    });
    expect(await accountOf(mentorId)).toBe(account);
    // Who has joined is led to their page.
    expect((await visitor.open('/mentor/join')).headers.get('location')).toBe('/mentor');
  });

  test.each([
    ['that was never made', async () => 'AAAA-BBBB-CCCC'],
    ['that is none', async () => 'hello'],
    ['that is empty', async () => ''],
    [
      'that another one has replaced',
      async (mentorId: string) => {
        const first = await pages.code(mentorId);
        await pages.code(mentorId);
        return first;
      },
    ],
    [
      'that is too old',
      async (mentorId: string) => {
        const code = await pages.code(mentorId);
        await pages.api.database.owner.query(
          `UPDATE mentor_invitations SET expires_at = clock_timestamp() - interval '1 second' WHERE mentor_id = $1`,
          [mentorId],
        );
        return code;
      },
    ],
    [
      'of a mentor who was deleted',
      async (mentorId: string) => {
        const code = await pages.code(mentorId);
        await deleteMentor(pages.api.deps.pool, mentorId, 'system');
        return code;
      },
    ],
    [
      'that was withdrawn',
      async (mentorId: string) => {
        const code = await pages.code(mentorId);
        await pages.api.ask('DELETE', `/mentors/${mentorId}/account`, admin);
        return code;
      },
    ],
  ])('%s links nobody, and the page says so', async (_what, codeFor) => {
    const { mentorId } = await pages.addMentor();
    const code = await codeFor(mentorId);
    const visitor = await pages.signedIn('mentor', randomUUID());
    const answer = await visitor.send('/mentor/join', { code });
    expect(answer).toMatchObject({ status: 422, text: expect.stringContaining('role="alert"') });
    expect(await accountOf(mentorId)).toBeNull();
  });

  test('is not used up by an account that belongs to another mentor', async () => {
    const { visitor } = await pages.joined();
    const { mentorId } = await pages.addMentor();
    const code = await pages.code(mentorId);
    const answer = await visitor.post('/mentor/join', { code, formToken: visitor.formToken }, { Origin: pages.url });
    expect(answer).toMatchObject({ status: 422, text: expect.stringContaining('already belongs to another mentor') });
    expect(await accountOf(mentorId)).toBeNull();
    const right = await pages.signedIn('mentor', randomUUID());
    expect((await right.send('/mentor/join', { code })).status).toBe(303);
  });

  test('of two people who enter it at the same moment links one', async () => {
    const { mentorId } = await pages.addMentor();
    const code = await pages.code(mentorId);
    const both = await Promise.all([1, 2].map(() => pages.signedIn('mentor', randomUUID())));
    const answers = await Promise.all(both.map((visitor) => visitor.send('/mentor/join', { code })));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([303, 422]);
  });

  test('gives a mentor who has lost their account another one', async () => {
    const { mentor, visitor } = await pages.joined();
    const later = await pages.signedIn('mentor', randomUUID());
    await later.send('/mentor/join', { code: await pages.code(mentor.mentorId) });
    expect((await later.open('/mentor')).status).toBe(200);
    expect(await isClosedTo(visitor)).toBe(true);
  });

  test('is made for no mentor who is not there', async () => {
    expect(await invite(randomUUID())).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect(await invite('nonsense')).toMatchObject({ status: 404 });
  });
});

describe('the account of a mentor', () => {
  test('is taken away by an admin, with an audit entry, and the page is closed', async () => {
    const { mentor, visitor } = await pages.joined();
    const path = `/mentors/${mentor.mentorId}/account`;
    expect((await pages.api.ask('DELETE', path, admin)).status).toBe(204);
    expect((await pages.api.ask('DELETE', path, admin)).status).toBe(204);
    expect(await isClosedTo(visitor)).toBe(true);
    expect((await audited(mentor.mentorId)).filter((action) => action === 'mentor.unlinked')).toHaveLength(1);
    expect((await pages.api.ask('DELETE', `/mentors/${randomUUID()}/account`, admin)).status).toBe(404);
  });

  test('leads nowhere once the mentor is deleted, and can become another mentor’s', async () => {
    const { mentor, visitor } = await pages.joined();
    await deleteMentor(pages.api.deps.pool, mentor.mentorId, 'system');
    expect(await isClosedTo(visitor)).toBe(true);
    const { mentorId } = await pages.addMentor();
    await visitor.open('/mentor/join');
    expect((await visitor.send('/mentor/join', { code: await pages.code(mentorId) })).status).toBe(303);
  });

  test('is forgotten with the person', async () => {
    const { mentor } = await pages.joined();
    const account = (await accountOf(mentor.mentorId)) ?? '';
    await inTransaction(pages.api.deps.pool, (tx) => eraseSubjectRows(tx, account, 'system'));
    expect(await accountOf(mentor.mentorId)).toBeNull();
  });

  test('is nothing to take from who has none', async () => {
    const { mentorId } = await pages.addMentor();
    const unlinked = await inTransaction(pages.api.deps.pool, (tx) => unlinkMentor(tx, mentorId, 'system'));
    expect(unlinked).toBe(false);
    expect(await audited(mentorId)).toEqual(['mentor.created']);
  });
});
