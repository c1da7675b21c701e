/** The page of a user's circle, over real HTTP, Postgres and sign-in; only Temporal is played. */
import { randomUUID } from 'node:crypto';
import { subjectOfAccounts } from '../../../api/accounts';
import { findBuddy } from '../../../db/buddies';
import { endBuddy } from '../../../db/buddy-endings';
import { inTransaction } from '../../../db/pool';
import { noteContactAnswer, findRegisteredContact } from '../../../db/registered-contacts';
import { MARKED } from '../../marked-people';
import { DAY, somebody } from '../buddies/buddies-under-test';
import { newPhone } from '../buddies/check-in-world';
import { addBuddy } from '../buddies/people';
import { addAlert, type AlertEnd, endingAs } from '../wellbeing/alert-rows';
import { type PageVisitor, PagesUnderTest } from './pages-under-test';

let pages: PagesUnderTest;
beforeAll(async () => {
  pages = await PagesUnderTest.start();
});
afterAll(() => pages.stop());
afterEach(() => {
  pages.api.wellbeing.down = null;
  pages.api.wellbeing.onClose = async () => 'over';
  pages.api.checkIns.onBegin = async () => ({ state: 'pending' });
});

const PROFILE = { firstName: MARKED.mentorName, language: 'en', tellMeBy: 'app' };

interface Owner {
  readonly visitor: PageVisitor;
  readonly userId: string;
}

async function signedIn(profile: Record<string, string> | null = PROFILE): Promise<Owner> {
  const subject = randomUUID();
  const visitor = await pages.signedIn('user', subject);
  const { pool, tokenizer, config } = pages.api.deps;
  const userId = await subjectOfAccounts(pool, tokenizer)(config.oidc.issuer, subject);
  if (profile !== null) await press(visitor, '/circle/profile', profile);
  return { visitor, userId };
}

/** Sends a form and follows it. @returns what the page says then */
async function press(visitor: PageVisitor, path: string, fields: Record<string, string> = {}) {
  const answer = await visitor.send(path, fields);
  expect(answer.status).toBe(303);
  const to = answer.headers.get('location') ?? '';
  expect(to).toMatch(/^\/circle\?done=/);
  const { text } = await visitor.open(to);
  return { text, notice: /class="notice[^>]*>([^<]*)</.exec(text)?.[1], done: to.slice('/circle?done='.length) };
}

const added = async ({ visitor }: Owner, more: Record<string, string> = {}): Promise<string> => {
  const { text, done } = await press(visitor, '/circle/buddies', somebody(more));
  expect(done).toBe('added');
  return [...text.matchAll(/\/circle\/buddies\/([0-9a-f-]{36})\/remove/g)].at(-1)?.[1] ?? '';
};

/** The names of the buddies, as they stand on the page. */
const inOrder = (text: string) => [...text.matchAll(/<h3>([^<]*) <span class="badge/g)].map(([, name]) => name);

async function verified({ userId }: Owner, more: object = {}) {
  return addBuddy(pages.api.deps, { userId, phone: newPhone(), ...more });
}

describe('who comes to it', () => {
  it('leads whoever is not signed in through the sign-in and back', async () => {
    const stranger = pages.stranger();
    const turned = await stranger.open('/circle');
    expect([turned.status, turned.headers.get('location')]).toEqual([303, '/sign-in?to=%2Fcircle']);
    const back = await stranger.signIn('user', randomUUID(), '/circle');
    expect([back.status, back.headers.get('location')]).toEqual([303, '/circle']);
    expect((await stranger.open('/circle')).text).toContain('My circle');
  });

  it('is where a user comes to who wanted nothing else', async () => {
    const back = await pages.stranger().signIn('user', randomUUID());
    expect(back.headers.get('location')).toBe('/circle');
  });

  it('speaks the language of the browser until the user has said theirs', async () => {
    const { visitor } = await signedIn(null);
    expect((await visitor.open('/circle', { 'Accept-Language': 'es-MX' })).text).toContain('Mi círculo');
    const { text, notice } = await press(visitor, '/circle/profile', { ...PROFILE, language: 'es' });
    expect([notice, text.includes('Sus personas de confianza')]).toEqual(['Guardado.', true]);
  });

  it('says nothing for an address that was made up', async () => {
    const { visitor } = await signedIn();
    expect((await visitor.open('/circle?done=%3Cscript%3E')).text).not.toContain('class="notice');
  });
});

describe('about the user', () => {
  it('wants a first name, and then shows it', async () => {
    const { visitor } = await signedIn(null);
    const refused = await press(visitor, '/circle/profile', { ...PROFILE, firstName: ' ' });
    expect(refused.notice).toContain('at most 40 characters');
    const longest = /name="firstName"[^>]*maxlength="(\d+)"/.exec(refused.text)?.[1];
    expect(longest).toBe('40');
    expect((await press(visitor, '/circle/profile', { ...PROFILE, firstName: 'x'.repeat(41) })).done).toBe(
      'first-name',
    );
    const { text, done } = await press(visitor, '/circle/profile', PROFILE);
    expect(done).toBe('saved');
    expect(text).toContain(`value="${MARKED.mentorName}"`);
  });

  it.each([
    ['en', 'This is no time zone that we know.'],
    ['es', 'No conocemos esta zona horaria.'],
  ])('says in words of its own (%s) that a time zone is none, and keeps what was there', async (language, words) => {
    const { visitor } = await signedIn({ ...PROFILE, language, timeZone: 'Europe/Madrid' });
    const wrong = { ...PROFILE, language, timeZone: 'Europe/Atlantis' };
    const { notice, text } = await press(visitor, '/circle/profile', wrong);
    expect(notice).toBe(words);
    expect(text).toContain('<option value="Europe/Madrid" selected>');
    expect((await press(visitor, '/circle/profile', { ...wrong, firstName: '' })).done).toBe('first-name');
  });

  it('has its times in the zone of the user, which is named, and to programs in UTC', async () => {
    const owner = await signedIn();
    const alertId = await addAlert(pages.api.database.owner, owner.userId, {});
    await pages.api.database.owner.query(
      `UPDATE wellbeing_alerts SET due_at = '2026-11-21T15:04:05Z' WHERE alert_id = $1`,
      [alertId],
    );
    const before = (await owner.visitor.open('/circle')).text;
    expect(before).toContain('Times are those of UTC.');
    expect(before).toContain('<time datetime="2026-11-21T15:04:05.000Z">Sat 21 Nov, 15:04</time>');
    const { text } = await press(owner.visitor, '/circle/profile', { ...PROFILE, timeZone: 'America/New_York' });
    expect(text).toContain('Times are those of America/New_York.');
    expect(text).toContain('<time datetime="2026-11-21T15:04:05.000Z">Sat 21 Nov, 10:04</time>');
    expect(text).toContain('<option value="America/New_York" selected>');
    expect((await press(owner.visitor, '/circle/profile', { ...PROFILE, timeZone: '' })).text).toContain(' UTC.');
  });

  it('offers no form for buddies or a contact before', async () => {
    const { visitor } = await signedIn(null);
    const { text } = await visitor.open('/circle');
    expect(text).toContain('Tell us your first name above');
    expect(text).not.toContain('action="/circle/buddies"');
    expect(text).not.toContain('action="/circle/contact"');
  });
});

describe('buddies', () => {
  it('are added, invited and shown with how far they are', async () => {
    const owner = await signedIn();
    const buddyId = await added(owner, { relationship: 'a friend from school' });
    const before = (await owner.visitor.open('/circle')).text;
    expect(before).toContain('No invitation has been sent yet.');
    expect(before).toContain('a friend from school');
    const { text, notice } = await press(owner.visitor, `/circle/buddies/${buddyId}/send`);
    expect(notice).toBe('The invitation is on its way.');
    expect(text).toContain('The invitation has not been answered.');
    expect(text).toContain('Send it again: possible from');
    expect((await press(owner.visitor, `/circle/buddies/${buddyId}/send`)).done).toBe('too-soon');
    expect(pages.api.buddies.mails.filter((mail) => mail.buddyId === buddyId)).toHaveLength(1);
  });

  it.each([
    ['wrong-name', { name: '' }],
    ['wrong-phone', { phoneNumber: '555' }],
    ['wrong-phone', { phoneNumber: '+8821612345678' }],
    ['wrong-email', { email: 'nobody' }],
  ])('are not added with %s: %j', async (word, more) => {
    const { visitor } = await signedIn();
    const { done, notice } = await press(visitor, '/circle/buddies', { ...somebody(), ...more });
    expect(done).toBe(word);
    expect(notice).not.toBe('');
  });

  it('are not added twice, nor by a user without a name, nor beyond as many as there can be', async () => {
    const owner = await signedIn();
    const one = somebody();
    await press(owner.visitor, '/circle/buddies', one);
    expect((await press(owner.visitor, '/circle/buddies', one)).done).toBe('twice');
    for (let n = 1; n < 5; n += 1) await added(owner);
    const { text } = await owner.visitor.open('/circle');
    expect(text).toContain('as many buddies as there can be');
    expect(text).not.toContain('action="/circle/buddies"');
    expect((await press(owner.visitor, '/circle/buddies', somebody())).done).toBe('full');
  });

  it('are not invited by somebody whose first name we do not know', async () => {
    const owner = await signedIn(null);
    const buddy = await verified(owner, { isVerified: false });
    expect((await press(owner.visitor, `/circle/buddies/${buddy.buddyId}/send`)).done).toBe('no-profile');
  });

  it('who have agreed are not invited again, and who have refused are not added again', async () => {
    const owner = await signedIn();
    const buddy = await verified(owner);
    expect((await press(owner.visitor, `/circle/buddies/${buddy.buddyId}/send`)).done).toBe('already-verified');
    const one = somebody();
    const { text } = await press(owner.visitor, '/circle/buddies', one);
    const other = /\/circle\/buddies\/([0-9a-f-]{36})\/send/.exec(text)?.[1] ?? '';
    await press(owner.visitor, `/circle/buddies/${other}/send`);
    await declines(other);
    expect((await owner.visitor.open('/circle')).text).toContain('Does not want to be your buddy.');
    await press(owner.visitor, `/circle/buddies/${other}/remove`);
    expect((await press(owner.visitor, '/circle/buddies', one)).done).toBe('refused');
  });

  async function declines(buddyId: string): Promise<void> {
    const { pool } = pages.api.deps;
    const buddy = await findBuddy(pool, buddyId);
    if (buddy === null) throw new Error('no buddy');
    const nowhere = { ipRecordId: null, userAgentRecordId: null };
    const ending = { buddy, how: 'declined', actor: buddy.subjectId, version: 1, ...nowhere } as const;
    await inTransaction(pool, (tx) => endBuddy(tx, ending));
  }

  it('who have asked for a new link are shown as such, until it is sent', async () => {
    const owner = await signedIn();
    const buddyId = await added(owner);
    await press(owner.visitor, `/circle/buddies/${buddyId}/send`);
    const asksFor = 'Has asked for a new link: <time datetime="2026-11-21T15:04:05.000Z">Sat 21 Nov, 15:04</time>.';
    expect((await owner.visitor.open('/circle')).text).not.toContain('Has asked for a new link');
    await pages.api.buddies.timePasses(7 * DAY);
    await pages.api.buddies.steps.expireInvitation({ buddyId, version: 1 });
    await pages.api.buddies.steps.noteRenewalAsked({ buddyId, version: 1 });
    await pages.api.database.owner.query(
      `UPDATE buddy_invitations SET renewal_asked_at = '2026-11-21T15:04:05Z' WHERE buddy_id = $1`,
      [buddyId],
    );
    const { text } = await owner.visitor.open('/circle');
    expect(text.indexOf(asksFor)).toBeGreaterThan(0);
    expect(text.indexOf('Send it again</button>')).toBeGreaterThan(text.indexOf(asksFor));
    const spanish = await press(owner.visitor, '/circle/profile', { ...PROFILE, language: 'es' });
    expect(spanish.text).toContain('Ha pedido un enlace nuevo: <time');
    const sent = await press(owner.visitor, `/circle/buddies/${buddyId}/send`);
    expect([sent.done, sent.text.includes('Ha pedido un enlace nuevo')]).toEqual(['sent', false]);
  });

  it('are moved up and down, and no further than the ends', async () => {
    const owner = await signedIn();
    for (const name of ['Anna One', 'Bert Two']) await added(owner, { name });
    const { text } = await owner.visitor.open('/circle');
    expect(inOrder(text)).toEqual(['Anna One', 'Bert Two']);
    const [, second = ''] = [...text.matchAll(/buddies\/([0-9a-f-]{36})\/remove/g)].map(([, id]) => id);
    const up = await press(owner.visitor, `/circle/buddies/${second}/up`);
    expect([up.done, inOrder(up.text)]).toEqual(['moved', ['Bert Two', 'Anna One']]);
    expect(inOrder((await press(owner.visitor, `/circle/buddies/${second}/up`)).text)).toEqual([
      'Bert Two',
      'Anna One',
    ]);
    expect(inOrder((await press(owner.visitor, `/circle/buddies/${second}/down`)).text)).toEqual([
      'Anna One',
      'Bert Two',
    ]);
  });

  it('are asked once to get in touch; how it can be told again stands beside them', async () => {
    const owner = await signedIn();
    const { buddyId } = await verified(owner);
    expect((await owner.visitor.open('/circle')).text).toContain('Ask to get in touch');
    const { notice } = await press(owner.visitor, `/circle/buddies/${buddyId}/check-in`);
    expect(notice).toContain('They are being asked.');
    expect(pages.api.checkIns.begun.at(-1)).toMatchObject({ buddyId, userId: owner.userId, alert: null });
    pages.api.checkIns.onBegin = async () => ({ refused: 'too-soon', retryAfterMs: 60_000 });
    expect((await press(owner.visitor, `/circle/buddies/${buddyId}/check-in`)).done).toBe('too-soon');
    pages.api.checkIns.onBegin = async () => ({ refused: 'cannot-be-asked', retryAfterMs: null });
    expect((await press(owner.visitor, `/circle/buddies/${buddyId}/check-in`)).done).toBe('not-now');
  });

  it('are removed after a page that asks once more', async () => {
    const owner = await signedIn();
    const buddyId = await added(owner, { name: 'Anna One' });
    const question = await owner.visitor.open(`/circle/buddies/${buddyId}/remove`);
    expect(question.text).toContain('Remove this buddy?');
    expect(question.text).toContain('Anna One');
    const { text, done } = await press(owner.visitor, `/circle/buddies/${buddyId}/remove`);
    expect([done, inOrder(text)]).toEqual(['removed', []]);
    expect((await press(owner.visitor, `/circle/buddies/${buddyId}/remove`)).done).toBe('gone');
  });

  it.each(['send', 'check-in', 'up', 'down', 'remove'])('of somebody else are not there for %s', async (step) => {
    const { buddyId } = await verified(await signedIn());
    const { visitor } = await signedIn();
    expect((await press(visitor, `/circle/buddies/${buddyId}/${step}`)).done).toBe('gone');
    expect((await findBuddy(pages.api.deps.pool, buddyId))?.removedAt).toBeNull();
    expect((await visitor.open(`/circle/buddies/${buddyId}/remove`)).status).toBe(404);
  });
});

describe('the contact', () => {
  const named = { name: MARKED.otherMentorName, phoneNumber: '+14155550188', language: 'en' };

  it('is named, shown with name and number, changed and removed', async () => {
    const owner = await signedIn();
    const { text, notice } = await press(owner.visitor, '/circle/contact', named);
    expect(notice).toContain('Somebody new is told by text');
    expect(text).toContain(`<h3>${MARKED.otherMentorName} <span class="badge">Not answered`);
    expect(text).toContain('+14155550188 · Written to in English');
    expect(text).toContain('The text that tells them is about to go out.');
    const changed = await press(owner.visitor, '/circle/contact', { ...named, name: 'Ottoline', language: 'es' });
    expect(changed.text).toContain('<h3>Ottoline <span');
    expect(changed.text).toContain('Written to in Spanish');
    const question = await owner.visitor.open('/circle/contact/remove');
    expect(question.text).toContain('Remove your contact?');
    expect(question.text).toContain('Ottoline');
    const removed = await press(owner.visitor, '/circle/contact/remove');
    expect([removed.done, removed.text.includes('Ottoline')]).toEqual(['contact-removed', false]);
    expect((await press(owner.visitor, '/circle/contact/remove')).done).toBe('contact-gone');
    const gone = await owner.visitor.open('/circle/contact/remove');
    expect(gone.headers.get('location')).toBe('/circle?done=contact-gone');
  });

  it.each([
    ['wrong-phone', { phoneNumber: '12' }],
    ['contact-name', { name: '' }],
    ['contact-name', { name: 'x'.repeat(81) }],
  ])('is not named with %s', async (word, more) => {
    const { visitor } = await signedIn();
    expect((await press(visitor, '/circle/contact', { ...named, ...more })).done).toBe(word);
  });

  it('who has agreed or refused is shown as such, and who refused cannot be named again', async () => {
    const owner = await signedIn();
    await press(owner.visitor, '/circle/contact', { ...named, phoneNumber: '+14155550187' });
    await contactSays(owner.userId, 'agreed');
    expect((await owner.visitor.open('/circle')).text).toContain('Has agreed to be asked.');
    await contactSays(owner.userId, 'refused');
    const { text } = await owner.visitor.open('/circle');
    expect(text).toContain('Does not want to be asked.');
    expect(text).toContain('Name somebody else</button>');
    const again = await press(owner.visitor, '/circle/contact', { ...named, phoneNumber: '+14155550187' });
    expect(again.done).toBe('contact-refused');
  });

  async function contactSays(userId: string, what: 'agreed' | 'refused'): Promise<void> {
    const { pool } = pages.api.deps;
    const contact = await findRegisteredContact(pool, userId);
    if (contact === null) throw new Error('nobody is named');
    const nowhere = { ipRecordId: null, userAgentRecordId: null };
    await inTransaction(pool, (tx) => noteContactAnswer(tx, contact, what, async () => nowhere));
  }

  it('gets no text for more users than one person can be pestered by', async () => {
    const asked = { ...named, phoneNumber: '+14155550186' };
    const words: string[] = [];
    for (let n = 0; n < 4; n += 1) {
      const { visitor } = await signedIn();
      words.push((await press(visitor, '/circle/contact', asked)).done);
    }
    expect(words).toEqual(['contact-saved', 'contact-saved', 'contact-saved', 'target-limit']);
  });
});

describe('what was begun without the user', () => {
  it('is explained when there is nothing', async () => {
    const { visitor } = await signedIn();
    expect((await visitor.open('/circle')).text).toContain('That has not been needed.');
  });

  it('comes first while it goes on, and ends with a press', async () => {
    const owner = await signedIn();
    const { buddyId } = await verified(owner);
    const alertId = await addAlert(pages.api.database.owner, owner.userId, {
      steps: [{ who: 'buddies', state: 'under-way', asked: [{ buddyId, state: 'delivered' }] }],
    });
    const { text } = await owner.visitor.open('/circle');
    expect(text.indexOf('When we asked by ourselves')).toBeLessThan(text.indexOf('Your buddies'));
    expect(text).toContain(`<li>${MARKED.otherMentorName}: the text has arrived</li>`);
    endsAs('closed', 'closed-by-user');
    const closed = await press(owner.visitor, `/circle/alerts/${alertId}/close`);
    expect(closed.notice).toBe(
      'Ended. Buddies who have been asked see on their page that it is over. Your contact and the wellbeing service are written to, where they were asked in writing.',
    );
    expect(closed.text).toContain('You have closed it.');
    expect(pages.api.wellbeing.closed).toContainEqual({ alertId, by: 'user' });
    expect((await press(owner.visitor, `/circle/alerts/${alertId}/close`)).done).toBe('ended-before');
  });

  it('of somebody else is not there, and is not closed', async () => {
    const alertId = await addAlert(pages.api.database.owner, (await signedIn()).userId, {});
    const { visitor } = await signedIn();
    expect((await press(visitor, `/circle/alerts/${alertId}/close`)).done).toBe('alert-gone');
    expect(pages.api.wellbeing.closed.map((one) => one.alertId)).not.toContain(alertId);
  });

  it('is not said to have ended by the press when a buddy had been in touch that very moment', async () => {
    const { visitor, userId } = await signedIn();
    const alertId = await addAlert(pages.api.database.owner, userId, {});
    endsAs('answered', 'answered');
    const { done, text } = await press(visitor, `/circle/alerts/${alertId}/close`);
    expect(done).toBe('ended-before');
    expect(text).toContain('Somebody you chose has been in touch.');
  });

  it('is said to go on, in the user’s language, while its row does, and can be ended again', async () => {
    const words = { en: 'It has not ended yet.', es: 'Todavía no ha terminado.' };
    for (const [language, notEnded] of Object.entries(words)) {
      const { visitor, userId } = await signedIn({ ...PROFILE, language });
      const alertId = await addAlert(pages.api.database.owner, userId, {});
      const { notice, text } = await press(visitor, `/circle/alerts/${alertId}/close`);
      expect(notice).toContain(notEnded);
      expect(text).toContain(`action="/circle/alerts/${alertId}/close"`);
    }
  });

  it('ends with a press before it has begun, also when Temporal is down', async () => {
    const { visitor, userId } = await signedIn();
    const alertId = await addAlert(pages.api.database.owner, userId, { isDue: true });
    pages.api.wellbeing.down = new Error('down');
    const { done, text } = await press(visitor, `/circle/alerts/${alertId}/close`);
    expect(done).toBe('ended');
    expect(text).toContain('You have closed it.');
  });

  it('is not ended when Temporal is down, and the page says so', async () => {
    const { visitor, userId } = await signedIn();
    const alertId = await addAlert(pages.api.database.owner, userId, {});
    pages.api.wellbeing.down = new Error('down');
    expect((await visitor.send(`/circle/alerts/${alertId}/close`)).status).toBeGreaterThanOrEqual(500);
  });

  it('has words for each end that is not the plain one', async () => {
    const owner = await signedIn();
    const [one, two] = [await verified(owner), await verified(owner, { name: 'Bert Two', rank: 2 })];
    const answers = [
      { buddyId: one.buddyId, state: 'answered', response: 'called' },
      { buddyId: two.buddyId, state: 'answered', response: 'messaged' },
    ] as const;
    const alert = (days: number, more: Parameters<typeof addAlert>[2]) =>
      addAlert(pages.api.database.owner, owner.userId, { daysAgo: days, ...more });
    await alert(4, { end: ['answered', 'answered'], steps: [{ who: 'buddies', state: 'answered', asked: answers }] });
    await alert(8, {
      end: ['answered', 'answered-after-escalation'],
      steps: [
        { who: 'buddies', state: 'unanswered' },
        { who: 'registered-contact', state: 'ended' },
        { who: 'on-call', state: 'not-begun' },
      ],
    });
    await alert(12, {
      end: ['closed', 'nobody-to-ask'],
      steps: [
        { who: 'buddies', state: 'skipped', because: 'all-opted-out' },
        { who: 'buddies', state: 'skipped', because: 'nobody-verified' },
        { who: 'registered-contact', state: 'skipped', because: 'no-contact' },
        { who: 'emergency', state: 'skipped', because: 'not-configured' },
      ],
    });
    const { text } = await owner.visitor.open('/circle');
    for (const words of [
      'More than one of them has been in touch. The first answer counted, and all of them were thanked.',
      `<li>${MARKED.otherMentorName}: has called you</li>`,
      '<li>Bert Two: has written to you</li>',
      'when others had been asked too. Of those, buddies see on their page that it is over, and the contact and the wellbeing service are written to, where they were asked in writing.',
      'not asked: it was over before',
      'all of them have opted out',
      'none of them has agreed yet',
      'you have named none',
      'the organisation has none here',
      'There was nobody who could be asked.',
    ]) {
      expect(text).toContain(words);
    }
    expect(text).not.toContain('I am well');
  });

  it.each([
    ['en', 'asked; it was over before all answers had come.', 'cannot right now'],
    ['es', 'avisado; terminó antes de que llegaran todas las respuestas.', 'no puede ahora'],
  ])(
    'says of a step (%s) that ended with one answer still open what is true of both',
    async (language, ended, cannot) => {
      const owner = await signedIn({ ...PROFILE, language });
      const [one, two] = [await verified(owner), await verified(owner, { name: 'Bert Two', rank: 2 })];
      const asked = [
        { buddyId: one.buddyId, state: 'answered', response: 'unavailable' },
        { buddyId: two.buddyId, state: 'ended' },
      ] as const;
      const end = ['closed', 'closed-by-user'] as const;
      await addAlert(pages.api.database.owner, owner.userId, {
        end,
        steps: [{ who: 'buddies', state: 'ended', asked }],
      });
      const { text } = await owner.visitor.open('/circle');
      expect(text).toContain(ended);
      expect(text).toContain(`: ${cannot}</li>`);
    },
  );

  it('is told in the user’s language, and only the newest five', async () => {
    const owner = await signedIn({ ...PROFILE, language: 'es' });
    for (let n = 0; n < 6; n += 1) {
      await addAlert(pages.api.database.owner, owner.userId, {
        daysAgo: 4 * n + 4,
        end: ['closed', 'nobody-answered'],
      });
    }
    const { text } = await owner.visitor.open('/circle');
    expect(text.split('Nadie de las personas avisadas ha respondido a tiempo.')).toHaveLength(6);
  });

  /** Whatever is closed from now on. */
  function endsAs(...end: AlertEnd): void {
    pages.api.wellbeing.onClose = endingAs(pages.api.database.owner, end);
  }
});
