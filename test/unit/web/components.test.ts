import {
  badge,
  card,
  formButton,
  link,
  main,
  notice,
  paragraph,
  renderSignedIn,
  rowsOr,
  section,
  soft,
} from '../../../web/components';
import { renderMentor } from '../../../web/mentor';
import { renderMessage } from '../../../web/message';
import { renderMentors } from '../../../web/staff';

const EVIL = '"><script>alert(1)</script>';
const SHARED = { formToken: 'token', privacyPolicyUrl: null };

describe('the parts of signed-in pages', () => {
  const button = { action: '/x', text: EVIL, label: EVIL, formToken: EVIL, fields: { [EVIL]: EVIL } };
  it.each([
    ['a button', formButton(button)],
    ['a section', section(EVIL)],
    ['a card', card(EVIL)],
    ['an empty list', rowsOr(EVIL, [])],
    ['a badge', badge(EVIL)],
    ['a notice', notice(EVIL)],
    ['a paragraph', paragraph(EVIL)],
    ['first words', main(EVIL)],
    ['other words', soft(EVIL)],
    ['a link', link({ href: EVIL, text: EVIL }, EVIL)],
  ])('show markup in %s as text', (_what, html) => {
    expect(html).not.toContain('<script');
    expect(html).not.toMatch(/="[^"]*"><s/);
  });

  it('do things by forms alone, each with the token of the session', () => {
    const { html, contentSecurityPolicy } = renderSignedIn({
      ...SHARED,
      title: 'A page',
      nav: [{ href: '/a', text: 'A' }],
      here: '/a',
      content: [formButton({ action: '/do', text: 'Do', formToken: 'token' })],
    });
    const forms = [...html.matchAll(/<form method="post"[^]*?<\/form>/g)].map(([form]) => form);
    expect(forms).toHaveLength(2);
    for (const form of forms) expect(form).toContain('name="formToken" value="token"');
    expect(html).not.toContain('<script');
    expect(contentSecurityPolicy).toContain("form-action 'self'");
    expect(html).toContain('<a href="/a" aria-current="page">');
  });

  it('say in a message what went wrong, and by which request', () => {
    const message = {
      title: EVIL,
      text: EVIL,
      links: [{ href: EVIL, text: EVIL }],
      requestId: 'r1',
      privacyPolicyUrl: null,
    };
    const { html, contentSecurityPolicy } = renderMessage(message);
    expect(html).not.toContain('<script>alert');
    expect(html).toContain('Request r1');
    expect(contentSecurityPolicy).toContain("form-action 'none'");
  });
});

test('a mentor’s page without shifts and rings says what will stand there', () => {
  const now = new Date('2026-11-30T12:00:00Z');
  const view = { available: false, zone: 'UTC', now, shifts: [], rings: [], canBeNoted: null, done: null };
  const { html } = renderMentor({ ...SHARED, ...view });
  for (const words of ['You are switched off', 'No shift in the next seven days', 'No call yet', 'You were not rung']) {
    expect(html).toContain(words);
  }
});

test('a mentor who is always on shift is not told of an end that is only that of the list', () => {
  const now = new Date('2026-11-30T12:00:00Z');
  const shifts = [{ starts: new Date('2026-11-29T00:00:00Z'), ends: new Date('2026-12-08T00:00:00Z') }];
  const view = { available: true, zone: 'UTC', now, shifts, rings: [], canBeNoted: null, done: null };
  const { html } = renderMentor({ ...SHARED, ...view });
  expect(html).toContain('You are on shift day and night.');
  expect(html).toContain('Day and night, all seven days');
  expect(html).not.toContain('8 Dec');
});

test('only admins see a button to invite', () => {
  const mentor = {
    mentorId: '8c1f4f0e-3b6a-4d7e-9a55-7f2e1c0b9d33',
    name: 'Somebody',
    available: true,
    onShift: true,
    currentCalls: 0,
    maxConcurrentCalls: 1,
    languages: ['en'],
    zone: 'UTC',
    account: 'none',
  } as const;
  const rendered = (mayInvite: boolean) =>
    renderMentors({ ...SHARED, zone: 'UTC', mentors: [mentor], next: null, mayInvite }).html;
  expect(rendered(false)).not.toContain('invitation');
  expect(rendered(true)).toContain('/invitation');
});
