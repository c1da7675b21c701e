import { randomUUID } from 'node:crypto';
import { createSubject } from '../../../db/subjects';
import { openWellbeingAlert } from '../../../db/wellbeing-course';
import { pageAddresses } from '../../../domain/message-links';
import { type PageVisitor, PagesUnderTest } from '../api/pages-under-test';
import { addAlert, type AlertEnd, type AlertWanted, endingAs } from './alert-rows';

const WAITING: AlertWanted = {
  steps: [
    { who: 'buddies', state: 'skipped', because: 'no-buddies' },
    { who: 'on-call', state: 'unanswered' },
    { who: 'emergency', state: 'awaiting-human' },
  ],
};
const UNDER_WAY: AlertWanted = { steps: [{ who: 'buddies', state: 'under-way' }] };
const LOST: AlertWanted = { daysAgo: 0.5, end: ['closed', 'nobody-answered'] };

let pages: PagesUnderTest;
let staff: PageVisitor;
beforeAll(async () => {
  pages = await PagesUnderTest.start();
});
beforeEach(async () => {
  staff = await pages.signedIn('staff');
  await pages.api.database.owner.query('TRUNCATE wellbeing_alerts CASCADE');
  pages.api.wellbeing.onConfirm = async () => 'refused';
  pages.api.wellbeing.onClose = async () => 'over';
});
afterAll(() => pages.stop());

const userOf = () => createSubject(pages.api.deps.pool, 'system');
const add = async (wanted: AlertWanted, userId?: string) =>
  addAlert(pages.api.database.owner, userId ?? (await userOf()), wanted);
const endsAs = (...end: AlertEnd): void => {
  pages.api.wellbeing.onClose = endingAs(pages.api.database.owner, end);
};
const auditOf = async (objectId: string): Promise<string[]> => {
  const text = 'SELECT action FROM audit_entries WHERE object_id = $1 ORDER BY at';
  return (await pages.api.database.owner.query(text, [objectId])).rows.map(({ action }) => action);
};

describe('the page of wellbeing alerts', () => {
  test('is where whoever is rung at night comes to, through the sign-in', async () => {
    const { staffLink = '' } = pageAddresses('');
    const stranger = pages.stranger();
    const turned = await stranger.open(staffLink);
    expect([turned.status, turned.headers.get('location')]).toEqual([303, '/sign-in?to=%2Fstaff%2Falerts']);
    const back = await stranger.signIn('staff', randomUUID(), staffLink);
    expect([back.status, back.headers.get('location')]).toEqual([303, '/staff/alerts']);
    expect((await stranger.open(staffLink)).text).toContain('<h1>Wellbeing alerts');
  });

  test('says in words that there is none', async () => {
    const { status, text } = await staff.open('/staff/alerts');
    expect(status).toBe(200);
    for (const words of ['No alert waits for a decision.', 'No alert is under way.', 'has reached somebody']) {
      expect(text).toContain(words);
    }
    expect(text).not.toContain('/staff/alerts/');
  });

  test('shows those that wait first, then those under way, then those that reached nobody', async () => {
    const lost = await add(LOST);
    const underWay = await add(UNDER_WAY);
    const waiting = await add({ ...WAITING, daysAgo: 1 });
    await add({ daysAgo: 8, end: ['closed', 'nobody-answered'] });
    await add({ daysAgo: 1, end: ['answered', 'answered'] });
    const { text } = await staff.open('/staff/alerts');
    const shown = [...text.matchAll(/<span class="main">([0-9a-f-]{36})</g)].map(([, alertId]) => alertId);
    expect(shown).toEqual([waiting, underWay, lost]);
    expect(text).toContain('Step 3 of 3: the emergency step');
    expect(text).toContain('nobody answered');
    // What is over is neither confirmed nor closed, and what does not wait is not confirmed.
    const forms = [...text.matchAll(/action="(\/staff\/alerts\/[^"]+)"/g)].map(([, action]) => action);
    expect(forms).toEqual([
      `/staff/alerts/${waiting}/confirm-emergency`,
      `/staff/alerts/${waiting}/close`,
      `/staff/alerts/${underWay}/close`,
    ]);
  });

  test('says how many were asked, and nothing of whom an alert is about or why it began; the look is kept', async () => {
    const before = (await auditOf('all')).length;
    const userId = await userOf();
    await add(WAITING, userId);
    await pages.api.database.owner.query(
      'UPDATE wellbeing_alert_steps SET ask_ids = ARRAY[gen_random_uuid(), gen_random_uuid()] WHERE position = 2',
    );
    const { text } = await staff.open('/staff/alerts');
    const shown = text.slice(text.indexOf('<main>'));
    expect(shown).toContain('2 asked');
    expect(shown).not.toContain(userId);
    expect(shown).not.toMatch(/\blow\b|score|result|\b3 days/i);
    expect((await auditOf('all')).slice(before)).toEqual(['wellbeing-alert.read']);
  });

  test('goes on behind the twenty-fifth of a list, by a cursor that is good for its reader and its list alone', async () => {
    for (let n = 0; n < 26; n += 1) await add(UNDER_WAY);
    const waiting = await add(WAITING);
    const first = await staff.open('/staff/alerts');
    const next = (/href="(\/staff\/alerts\?[^"]*cursor=[^"]+)"/.exec(first.text)?.[1] ?? '').replaceAll(
      /&(?:amp|#38);/g,
      '&',
    );
    const last = await staff.open(next);
    expect(last.status).toBe(200);
    expect([...last.text.matchAll(/\/close"/g)]).toHaveLength(1);
    expect(last.text).not.toContain(waiting);
    expect((await (await pages.signedIn('admin')).open(next)).status).toBe(400);
    for (const wrong of [
      next.replace('under-way', 'awaiting-human'),
      next.replace('standing=under-way&', ''),
      '/staff/alerts?standing=all',
      '/staff/alerts?done=%3Cb%3E',
    ]) {
      expect((await staff.open(wrong)).status).toBe(400);
    }
  });
});

describe('what staff decide there', () => {
  test('confirms the emergency step by the one way there is, in their name', async () => {
    const alertId = await add(WAITING);
    pages.api.wellbeing.onConfirm = async () => 'confirmed';
    const answer = await staff.send(`/staff/alerts/${alertId}/confirm-emergency`);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/staff/alerts?done=confirmed']);
    expect(pages.api.wellbeing.confirmed.at(-1)).toEqual({ alertId, actor: expect.any(String) });
    expect((await staff.open('/staff/alerts?done=confirmed')).text).toContain('Those on call are being rung.');
  });

  test('says so when it does not wait any more, and asks nobody for one that is over', async () => {
    const alertId = await add(WAITING);
    const late = await staff.send(`/staff/alerts/${alertId}/confirm-emergency`);
    expect(late.headers.get('location')).toBe('/staff/alerts?done=not-waiting');
    const before = pages.api.wellbeing.confirmed.length;
    const over = await staff.send(`/staff/alerts/${await add(LOST)}/confirm-emergency`);
    expect(over.headers.get('location')).toBe('/staff/alerts?done=not-waiting');
    expect(pages.api.wellbeing.confirmed).toHaveLength(before);
  });

  test('closes an alert as staff, with an entry, and changes nothing of one that is over', async () => {
    const alertId = await add(UNDER_WAY);
    endsAs('closed', 'closed-by-staff');
    const answer = await staff.send(`/staff/alerts/${alertId}/close`);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/staff/alerts?done=closed']);
    expect(pages.api.wellbeing.closed.at(-1)).toEqual({ alertId, by: 'staff' });
    expect(await auditOf(alertId)).toEqual(['wellbeing-alert.close-asked']);
    const before = pages.api.wellbeing.closed.length;
    const over = await staff.send(`/staff/alerts/${await add(LOST)}/close`);
    expect(over.headers.get('location')).toBe('/staff/alerts?done=closed-before');
    expect(pages.api.wellbeing.closed).toHaveLength(before);
  });

  test.each<[string, ...AlertEnd]>([
    ['closed', 'escalated', 'taken-over'],
    ['closed-before', 'answered', 'answered'],
    ['closed-before', 'closed', 'closed-by-user'],
    ['closed-before', 'closed', 'nobody-answered'],
  ])('says %s of an alert that has come to its end meanwhile as %s, %s', async (said, ...end) => {
    const alertId = await add(UNDER_WAY);
    endsAs(...end);
    const answer = await staff.send(`/staff/alerts/${alertId}/close`);
    expect(answer.headers.get('location')).toBe(`/staff/alerts?done=${said}`);
  });

  test('does not say that an alert is closed while it goes on: its workflow was lost, and the sweep is still to come', async () => {
    const alertId = await add(UNDER_WAY);
    const answer = await staff.send(`/staff/alerts/${alertId}/close`);
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/staff/alerts?done=not-closed']);
    const { text } = await staff.open('/staff/alerts?done=not-closed');
    expect(text).toContain('Not closed yet');
    expect(text).toContain(`action="/staff/alerts/${alertId}/close"`);
  });

  test('closes an alert that has not begun by its row alone: whoever begins it later asks nobody', async () => {
    const alertId = await add({ isDue: true });
    const before = pages.api.wellbeing.closed.length;
    const answer = await staff.send(`/staff/alerts/${alertId}/close`);
    expect(answer.headers.get('location')).toBe('/staff/alerts?done=closed');
    expect(pages.api.wellbeing.closed).toHaveLength(before);
    expect(await openWellbeingAlert(pages.api.deps.pool, alertId)).toBeNull();
    expect(await auditOf(alertId)).toEqual(['wellbeing-alert.close-asked', 'wellbeing-alert.closed']);
    const again = await staff.send(`/staff/alerts/${alertId}/close`);
    expect(again.headers.get('location')).toBe('/staff/alerts?done=closed-before');
  });

  test('is of an alert that there is', async () => {
    for (const what of ['close', 'confirm-emergency']) {
      expect((await staff.send(`/staff/alerts/${randomUUID()}/${what}`)).status).toBe(404);
      expect((await staff.send(`/staff/alerts/nonsense/${what}`)).status).toBe(404);
    }
  });
});

test('the overview says how many wait and how many reached nobody, and links the page', async () => {
  expect((await staff.open('/staff')).text).not.toContain('Wellbeing alerts that wait');
  for (const wanted of [WAITING, WAITING, LOST, UNDER_WAY]) await add(wanted);
  const { text } = await staff.open('/staff');
  const [row = ''] = /<li>(?:(?!<li>).)*Wellbeing alerts that wait for a human: 2<.*?<\/li>/s.exec(text) ?? [];
  expect(row).toContain('href="/staff/alerts"');
  expect(text).toContain('>Wellbeing alerts of the last day that reached nobody: 1<');
});
