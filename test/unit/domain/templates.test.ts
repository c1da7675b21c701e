import fc from 'fast-check';
import {
  carriesLink,
  checkVariables,
  fill,
  formOfText,
  type TemplateBody,
  templateFaults,
  VariablesDoNotFit,
} from '../../../domain/templates';
import { countSegments } from '../../../domain/segments';

const TEMPLATE: TemplateBody = {
  variables: {
    who: { type: 'text', maxLength: 40 },
    at: { type: 'time' },
    count: { type: 'number', min: 0, max: 99 },
    link: { type: 'url' },
    code: { type: 'text', isSpelled: true },
  },
  languages: {
    en: { text: 'Hi {{who}}, {{count}} at {{at}}.\n\n{{link}}\nCode {{code}}', subject: 'For {{who}}' },
    es: { text: 'Hola {{who}}: {{count}}, {{at}} {{link}} {{code}}', speech: '{{who}}, {{at}}, {{code}}' },
  },
};
const VALUES = {
  who: 'Ana',
  at: '2026-11-21T15:04:00-05:00',
  count: 3,
  link: 'https://example.org/a?b=1&c=2',
  code: '4711',
};

describe('one source', () => {
  test('is a text', () => {
    const { body, subject } = fill(TEMPLATE, 'en', VALUES, 'text');
    expect(body).toBe('Hi Ana, 3 at Nov 21, 3:04 PM.\n\nhttps://example.org/a?b=1&c=2\nCode 4711');
    expect(subject).toBe('For Ana');
    expect(countSegments(body).encoding).toBe('gsm-7');
  });

  test('is spoken: times in full, no address, a code sign by sign', () => {
    expect(fill(TEMPLATE, 'en', VALUES, 'speech').body).toBe(
      'Hi Ana, 3 at Saturday, November 21 at 3:04 PM.\n\na link\nCode 4, 7, 1, 1',
    );
    expect(fill(TEMPLATE, 'es', VALUES, 'speech').body).toBe('Ana, sábado, 21 de noviembre, 15:04, 4, 7, 1, 1');
  });

  test('an e-mail has words of its own where the text asks for a reply', () => {
    const languages = { en: { text: 'Hello {{name}}.\n\nReply STOP to opt out.', mail: 'Hello {{name}}.' } };
    const template = { variables: { name: { type: 'text' as const } }, languages };
    const as = (form: 'text' | 'mail-text' | 'html') => fill(template, 'en', { name: 'A<b' }, form).body;
    expect(as('text')).toContain('STOP');
    expect(as('mail-text')).toBe('Hello A<b.');
    expect(as('html')).toBe('<p>Hello A&lt;b.</p>');
  });

  test('is shown as HTML in paragraphs, with a link', () => {
    const { body } = fill(TEMPLATE, 'en', VALUES, 'html');
    expect(body).toMatch(/^<p>Hi Ana, 3 at Saturday, November 21 at 3:04.PM\.<\/p>\n<p><a href="/);
    expect(body).toContain('<a href="https://example.org/a?b=1&amp;c=2">https://example.org/a?b=1&amp;c=2</a><br>Code');
  });

  test('comes in the language asked for, else in English, else in the first', () => {
    expect(fill(TEMPLATE, 'es', VALUES, 'text').language).toBe('es');
    expect(fill(TEMPLATE, 'fr', VALUES, 'text').language).toBe('en');
    expect(fill({ variables: {}, languages: { de: { text: 'Hallo' } } }, 'fr', {}, 'text')).toMatchObject({
      language: 'de',
      body: 'Hallo',
    });
  });

  test('shows a time by the clock it was written with, and says so when that is UTC', () => {
    const template: TemplateBody = { variables: { at: { type: 'time' } }, languages: { en: { text: '{{at}}' } } };
    expect(fill(template, 'en', { at: '2026-01-01T00:30+13:00' }, 'text').body).toBe('Jan 1, 12:30 AM');
    expect(fill(template, 'en', { at: '2026-01-01T00:30:00.5Z' }, 'text').body).toBe('Jan 1, 12:30 AM UTC');
  });
});

describe('a value', () => {
  test.each<[keyof typeof VALUES, unknown]>([
    ['who', ''],
    ['who', '  '],
    ['who', 'a'.repeat(41)],
    ['who', 'two\nlines'],
    ['who', 'turned \u202e round'],
    ['who', 5],
    ['at', '2026-11-21'],
    ['at', '2026-11-21T15:04'],
    ['at', '2026-02-31T15:04Z'],
    ['at', 'tomorrow'],
    ['count', 100],
    ['count', -1],
    ['count', Number.NaN],
    ['count', '3'],
    ['link', 'http://example.org'],
    ['link', 'javascript:alert(1)'],
    ['link', 'https://bank.example@example.org/'],
    ['link', 'https://example.org/a b'],
    ['link', `https://example.org/${'a'.repeat(300)}`],
  ])('%s = %j is refused, and not repeated in what is said about it', (name, value) => {
    const faults = checkVariables(TEMPLATE, { ...VALUES, [name]: value });
    expect(faults.map(({ pointer }) => pointer)).toEqual([`/${name}`]);
    expect(() => fill(TEMPLATE, 'en', { ...VALUES, [name]: value as string }, 'text')).toThrow(VariablesDoNotFit);
  });

  test('that is missing, or that the template does not know, is refused', () => {
    const { who: _who, ...rest } = VALUES;
    expect(checkVariables(TEMPLATE, rest).map(({ pointer }) => pointer)).toEqual(['/who']);
    expect(checkVariables(TEMPLATE, { ...VALUES, '+14155550123': 'x' })).toEqual([
      { pointer: '', detail: 'The template has no such variable.' },
    ]);
  });

  test('stays one value, whatever is in it: no placeholder, no markup, no second line', () => {
    const bits = ['{{code}}', '{{', '}}', '<script>', '"', "'", '&amp;', '$&', '$1', '</p>', 'é', '😀', 'onload='];
    const value = fc.array(fc.oneof(fc.constantFrom(...bits), fc.string())).map((parts) => parts.join(''));
    const fitting = value.filter((who) => checkVariables(TEMPLATE, { ...VALUES, who }).length === 0);
    fc.assert(
      fc.property(fitting, (who) => {
        const text = fill(TEMPLATE, 'en', { ...VALUES, who }, 'text').body;
        expect(text.startsWith(`Hi ${who}, 3 at `)).toBe(true);
        const html = fill(TEMPLATE, 'en', { ...VALUES, who }, 'html').body;
        const link = expect.stringMatching(/^<a href=/);
        expect(html.match(/<[^>]*>/g)).toEqual(['<p>', '</p>', '<p>', link, '</a>', '<br>', '</p>']);
        expect(html.slice('<p>'.length, html.indexOf(', 3 at'))).not.toMatch(/[<>"'\n]/);
      }),
    );
  });
});

test('a template is refused with a name it does not declare, half a brace, or an opt-out word to reply with', () => {
  const faults = templateFaults({
    variables: { a: { type: 'text' } },
    languages: { en: { text: '{{b}} {{a}} {{ a }', subject: 'Reply YES' }, es: { text: '{{a}}' } },
  });
  expect(faults.map(({ pointer }) => pointer)).toEqual([
    '/languages/en/text',
    '/languages/en/text',
    '/languages/en/subject',
  ]);
  expect(templateFaults(TEMPLATE)).toEqual([]);
});

test('a template is refused that declares as its own what the service fills in', () => {
  const languages = { en: { text: '{{staffLink}} {{circleLink}}' } };
  const declared = (type: 'text' | 'url' | 'link') =>
    templateFaults({ variables: { staffLink: { type }, circleLink: { type: 'link' } }, languages });
  for (const type of ['text', 'url'] as const) {
    expect(declared(type)).toEqual([
      { pointer: '/variables/staffLink', detail: expect.stringContaining('The service fills this in') },
    ]);
  }
  // The service's own templates do, in whatever words.
  expect(declared('link')).toEqual([]);
});

test('a text without a template is spoken without its addresses, and escaped in HTML', () => {
  const text = 'Look: https://example.org/x <b>\n\nBye';
  expect(formOfText(text, 'en', 'text')).toBe(text);
  expect(formOfText(text, 'es', 'speech')).toBe('Look: un enlace <b>\n\nBye');
  expect(formOfText(text, 'en', 'html')).toBe('<p>Look: https://example.org/x &lt;b&gt;</p>\n<p>Bye</p>');
});

describe('a link of the reader’s own', () => {
  const ASKING: TemplateBody = {
    variables: { who: { type: 'text' }, yes: { type: 'link' } },
    languages: { en: { text: 'Hi {{who}}: {{yes}}', mail: 'Hi {{who}}.\n\nAccept: {{yes}}\n\nOr open {{yes}}.' } },
  };
  const values = { who: '<Ana>', yes: 'http://127.0.0.1:3000/api/buddy/verify?token=abc&action=accept' };

  test('is a button in an e-mail where it has a paragraph of its own', () => {
    const { body } = fill(ASKING, 'en', values, 'html');
    const escaped = values.yes.replace('&', '&amp;');
    expect(body).toContain('<p>Hi &lt;Ana&gt;.</p>');
    expect(body).toMatch(
      new RegExp(`<p><a href="${escaped.replaceAll(/[?.]/g, '\\$&')}" style="[^"]+">Accept</a></p>`),
    );
    expect(body).toContain(`Or open <a href="${escaped}">${escaped}</a>.`);
  });

  test('is its address in words, and "a link" aloud', () => {
    expect(fill(ASKING, 'en', values, 'mail-text').body).toContain(`Accept: ${values.yes}`);
    expect(fill(ASKING, 'en', values, 'speech').body).toBe('Hi <Ana>: a link');
  });

  test.each(['javascript:alert(1)', 'https://name@example.org/', 'ftp://example.org/', 'https://example.org/ x', 7])(
    'is not %s',
    (yes) => {
      expect(checkVariables(ASKING, { ...values, yes })).toMatchObject([{ pointer: '/yes' }]);
    },
  );

  test('makes a template one that only its own job can send', () => {
    expect([carriesLink(ASKING), carriesLink(TEMPLATE)]).toEqual([true, false]);
  });
});
