/**
 * What a newcomer does after `npm start`, as a user and as a buddy, with nothing but a browser: the whole service, the
 * mailbox page, the phones page, and the pages behind the links. Everything of ours without any script.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { MARKED } from '../../marked-people';
import { eventually, startStack, type TestStack } from '../../stack';
import { PATIENCE_MS } from '../../patience';
import { describeInBrowser, launchChromium, overflow, seriousFindings, watchForTrouble } from './chromium';

const USER_NAME = 'Thessaly';
/** Of the pictures in the docs: `KINDLINE_UPDATE_IMAGES=1 npm test -- buddies-in-a-browser` takes them anew. */
const IMAGES = join(__dirname, '../../../docs/images');

/** Pixels. */
const MOST_OF_A_PAGE = 1_650;

const WORDS = {
  en: {
    locale: 'en-GB',
    accept: 'Accept',
    question: `${USER_NAME} would like you to be their buddy`,
    sent: 'The invitation is on its way.',
    agreed: 'You are a buddy now',
    verified: 'Verified',
    asking: 'They are being asked.',
    letter: `A question about ${USER_NAME}`,
    thanks: 'Thank you.',
    called: 'has called you',
    alert: `${USER_NAME} may be having a hard time`,
    well: 'I am well: end it',
    closed: 'You have closed it.',
    contactAgreed: 'Has agreed to be asked.',
    optedOut: 'Opted out',
  },
  es: {
    locale: 'es-ES',
    accept: 'Aceptar',
    question: USER_NAME,
    sent: 'La invitación está en camino.',
    agreed: 'Ya es persona de confianza',
    verified: 'Verificada',
    asking: 'Se le está pidiendo.',
    letter: `Una pregunta sobre ${USER_NAME}`,
    thanks: 'Gracias.',
    called: 'le ha llamado',
    alert: `Quizá ${USER_NAME} lo esté pasando mal`,
    well: 'Estoy bien: terminar',
    closed: 'Usted la ha cerrado.',
    contactAgreed: 'Ha aceptado que se le pregunte.',
    optedOut: 'Dada de baja',
  },
} as const;
type Language = keyof typeof WORDS;

describeInBrowser('a newcomer and their buddy in a browser', () => {
  let stack: TestStack;
  let browser: Browser;
  let contexts: BrowserContext[] = [];
  /** A page in which scripts run: the simulator's need them, and so does whoever looks at markup. */
  let sim: Page;
  let looker: Page;
  let language: Language;

  beforeAll(async () => {
    [browser, stack] = await Promise.all([launchChromium(), startStack()]);
  });
  afterAll(async () => {
    await browser.close();
    await stack.stop();
  });
  afterEach(async () => {
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
  });

  async function newPage(javaScriptEnabled: boolean): Promise<Page> {
    const { locale } = WORDS[language];
    const context = await browser.newContext({ javaScriptEnabled, locale, viewport: { width: 375, height: 700 } });
    contexts.push(context);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    return page;
  }

  it.each(['en', 'es'] as const)(
    'goes in %s from the first name to the withdrawal, without a script, on a phone',
    async (its) => {
      language = its;
      const words = WORDS[its];
      const [phone, contactPhone] = its === 'en' ? ['+14155550151', '+14155550152'] : ['+14155550153', '+14155550154'];
      const email = its === 'en' ? MARKED.email : 'ottoline.marshgrave@example.org';
      const subject = `newcomer-${randomUUID()}`;
      const [user, buddy] = [await newPage(false), await newPage(false)];
      [sim, looker] = [await newPage(true), await newPage(true)];
      const allowed = [stack.apiUrl, stack.sim.baseUrl];
      const trouble = [user, buddy].map((page) => watchForTrouble(page, allowed));

      // The user: signs in, says what they are called, names a buddy, and has the invitation sent.
      await user.goto(`${stack.apiUrl}/circle`);
      await user.getByLabel('Another person of that role').fill(subject);
      await user.getByRole('button', { name: 'user', exact: true }).click();
      await look(user, 'circle-new');
      await user.locator('input[name=firstName]').fill(USER_NAME);
      await user.keyboard.press('Enter');
      await user.getByRole('status').waitFor();
      await fill(user, '/circle/buddies', {
        name: MARKED.otherMentorName,
        relationship: 'from school',
        phoneNumber: phone,
        email,
      });
      await look(user, 'circle-added');
      await user.locator('form[action$="/send"] button').click();
      await user.getByRole('status').getByText(words.sent).waitFor();

      // The buddy: reads the mail, follows its button, and presses the one on the page.
      const mail = await mailTo(email);
      await look(mail, 'invitation', 'buddies-mail');
      const accept = await mail.getByRole('link', { name: words.accept, exact: true }).getAttribute('href');
      await sim
        .getByRole('article')
        .getByRole('link', { name: accept ?? '' })
        .waitFor();
      await buddy.goto(accept ?? '');
      await buddy.getByRole('heading', { name: words.question }).waitFor();
      await look(buddy, 'verify', 'buddies-verify');
      await buddy.locator('main form button').focus();
      await buddy.keyboard.press('Enter');
      await buddy.getByRole('heading', { name: words.agreed }).waitFor();
      await look(buddy, 'verified');

      // The user sees it and asks for a check-in, which comes as a text.
      await shows(user, words.verified);
      await user.locator('form[action$="/check-in"] button').click();
      await user.getByRole('status').getByText(words.asking).waitFor();
      await buddy.goto(await linkOnPhone(phone, '/buddy/checkin/'));
      await buddy.getByRole('heading', { name: words.letter }).waitFor();
      await look(buddy, 'check-in-letter');
      await buddy.locator('form:has(input[value=open]) button').click();
      await buddy.locator('input[value=called]').waitFor();
      await look(buddy, 'check-in', 'buddies-check-in');
      await buddy.locator('input[value=called]').check();
      await buddy.locator('textarea[name=note]').fill(MARKED.replyWords);
      await buddy.locator('form:has(input[value=answer]) button').click();
      await buddy.getByRole('status').getByText(words.thanks).waitFor();
      await look(buddy, 'check-in-answered');
      const rights = await buddy.locator('a[href*="/api/buddy/rights/"]').getAttribute('href');
      await shows(user, MARKED.replyWords);
      expect(await user.locator('main').innerText()).toContain(`${MARKED.otherMentorName}: ${words.called}`);
      await look(user, 'circle-answered');

      // Somebody who is asked when no buddy answers hears of it by text, and agrees.
      await fill(user, '/circle/contact', { name: MARKED.mentorName, phoneNumber: contactPhone });
      await buddy.goto(await linkOnPhone(contactPhone, '/contact/'));
      await look(buddy, 'contact', 'buddies-contact');
      await buddy.locator('form:has(input[value=agree]) button').click();
      await buddy.getByRole('status').waitFor();
      await look(buddy, 'contact-agreed');
      await shows(user, words.contactAgreed);

      // A score begins an alert: the buddy reads what helps, and the user ends it.
      await scoreOf(subject);
      await buddy.goto(await linkOnPhone(phone, '/buddy/alert/'));
      await buddy.locator('form:has(input[value=open]) button').click();
      await buddy.getByRole('heading', { name: words.alert }).waitFor();
      await look(buddy, 'alert', 'buddies-alert');
      await shows(user, words.well);
      await look(user, 'circle-alert', 'buddies-circle-alert');
      await user.getByRole('button', { name: words.well }).click();
      await user.getByText(words.closed).waitFor();
      await look(user, 'circle-closed');

      // The buddy sees what is held, and goes.
      await buddy.goto(`${stack.apiUrl}${new URL(rights ?? '', stack.apiUrl).pathname}`);
      await look(buddy, 'rights', 'buddies-rights');
      await buddy.locator('form:has(input[value=see]) button').click();
      await buddy.getByText(MARKED.replyWords).waitFor();
      await buddy.locator('form:has(input[value=withdraw]) button').click();
      await buddy.getByRole('status').waitFor();
      await look(buddy, 'withdrawn');
      await shows(user, words.optedOut);
      await look(user, 'circle-opted-out');
      await user.getByRole('link', { name: `: ${MARKED.otherMentorName}` }).click();
      await look(user, 'circle-remove');
      expect(trouble.flat()).toEqual([]);
    },
  );

  /** Fills in a form of the page and sends it. */
  async function fill(page: Page, action: string, fields: Readonly<Record<string, string>>): Promise<void> {
    const form = page.locator(`form[action="${action}"]`);
    for (const [name, value] of Object.entries(fields)) await form.locator(`[name=${name}]`).fill(value);
    await form.locator('button').click();
    await page
      .getByText(Object.values(fields)[0] ?? '')
      .first()
      .waitFor();
  }

  /** The mail by itself, as its reader has it before them; the mailbox page stays open beside it. */
  async function mailTo(email: string): Promise<Page> {
    await sim.goto(`${stack.sim.baseUrl}/mailbox`);
    await sim.getByRole('button').filter({ hasText: email }).click();
    const frame = sim.frameLocator('#html').getByRole('link', { name: WORDS[language].accept, exact: true });
    await frame.waitFor();
    const page = await newPage(false);
    await page.goto(new URL((await sim.locator('#html').getAttribute('src')) ?? '', stack.sim.baseUrl).href);
    return page;
  }

  /** The link of this kind in the newest text that the phones page shows on a phone. */
  async function linkOnPhone(number: string, path: string): Promise<string> {
    await sim.goto(`${stack.sim.baseUrl}/`);
    const link = sim.locator(`article[data-number="${number}"]`).getByRole('log').locator(`a[href*="${path}"]`);
    await link.last().waitFor();
    return (await link.last().getAttribute('href')) ?? '';
  }

  /** Loads the user's page until it says so, as somebody does who waits for an answer. */
  async function shows(user: Page, text: string): Promise<void> {
    await eventually(async () => {
      await user.goto(`${stack.apiUrl}/circle`);
      expect(await user.locator('main').innerText()).toContain(text);
    });
  }

  async function scoreOf(subject: string): Promise<void> {
    const { body } = await stack.api('/api/users/me/profile', {}, { role: 'user', subject });
    const measuredAt = new Date().toISOString();
    const event = { eventId: randomUUID(), userId: body.userId, score: 31, risk: 'high', measuredAt };
    const taken = await stack.api('/api/wellbeing/scores', { json: { events: [event] } }, { role: 'service' });
    expect(taken.body).toMatchObject({ taken: 1 });
  }

  /**
   * Nothing that keeps somebody out: in a copy of the page, because what looks is a script. Takes pictures where they are
   * wanted.
   */
  async function look(page: Page, name: string, image?: string): Promise<void> {
    const of = [name, language];
    await page.locator('body').waitFor();
    await looker.setContent(await page.content());
    for (const width of [375, 1280]) {
      await looker.setViewportSize({ width, height: 800 });
      expect([...of, width, await overflow(looker)]).toEqual([...of, width, 0]);
    }
    expect([...of, await seriousFindings(looker)]).toEqual([...of, []]);
    expect([...of, await looker.evaluate<string[]>(SMALL)]).toEqual([...of, []]);
    expect([...of, await page.locator('html').getAttribute('lang')]).toEqual([...of, language]);
    const folder = process.env.KINDLINE_LOOK_AT;
    if (folder !== undefined) await page.screenshot({ fullPage: true, path: `${folder}/${name}-${language}.png` });
    if (image !== undefined && language === 'en' && process.env.KINDLINE_UPDATE_IMAGES === '1') {
      // A long page is shown as far as a picture of it is still read.
      const box = await page.locator('body').boundingBox();
      const clip = { x: 0, y: 0, width: 375, height: Math.min(MOST_OF_A_PAGE, Math.ceil(box?.height ?? 0)) };
      await page.screenshot({ fullPage: true, clip, path: join(IMAGES, `${image}.png`) });
    }
  }
});

/** What one presses and is lower than 44 pixels; links within a sentence are not meant. */
const SMALL = `[...document.querySelectorAll('button, select, input:not([type=hidden]):not([type=radio]), nav a, label.choice')]
  .filter((one) => one.getBoundingClientRect().height < 43.5).map((one) => one.outerHTML)`;
