/**
 * Templates: one source per language, filled with typed variables, read as a text, spoken, or shown in an e-mail.
 * The source has no conditions and no markup of its own: `{{name}}` and blank lines between paragraphs.
 */
import { pageAddresses } from './message-links';
import { optOutWordAskedFor } from './opt-out-words';
import { VALUE_TYPES, type ValueType, valueFault, writeValue, type WrittenForm } from './template-values';

export interface VariableDefinition {
  readonly type: ValueType;
  /** Of a text or URL, in characters. */
  readonly maxLength?: number | undefined;
  /** Of a number. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
  /** Spoken letter by letter: a code. */
  readonly isSpelled?: boolean | undefined;
}

export interface TemplateWords {
  /** The source: of texts, and of everything else where nothing else is said. */
  readonly text: string;
  /** Of an e-mail. */
  readonly subject?: string | undefined;
  /** Spoken in place of the text, which may say things that only make sense when read. */
  readonly speech?: string | undefined;
  /** In an e-mail in place of the text, which may ask for a reply that nobody would read there. */
  readonly mail?: string | undefined;
}

/** What a version of a template is. Nothing of it ever changes. */
export interface TemplateBody {
  readonly variables: Readonly<Record<string, VariableDefinition>>;
  /** By language, ISO 639-1. */
  readonly languages: Readonly<Record<string, TemplateWords>>;
}

/** A place in a template or in variables, as a JSON Pointer below it, and what belongs there; never a value. */
export interface TemplateFault {
  readonly pointer: string;
  readonly detail: string;
}

export type VariableValues = Readonly<Record<string, string | number>>;

/** What a text may be at most: Twilio refuses longer ones (21617). */
export const MOST_CHARACTERS = 1_600;
export const VARIABLE_NAME = /^[a-z][a-zA-Z0-9]{0,39}$/;
const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

const FILLED_IN = Object.keys(pageAddresses(''));

/** What is wrong with a template that is well-formed. */
export function templateFaults({ variables, languages }: TemplateBody): TemplateFault[] {
  const taken = FILLED_IN.filter((name) => Object.hasOwn(variables, name) && variables[name]?.type !== 'link');
  const detail = 'The service fills this in, in templates of its own: choose another name.';
  return [...taken.map((name) => ({ pointer: `/variables/${name}`, detail })), ...wordFaults({ variables, languages })];
}

function wordFaults({ variables, languages }: TemplateBody): TemplateFault[] {
  return Object.entries(languages).flatMap(([language, words]) =>
    Object.entries(words).flatMap(([part, source]) => {
      const pointer = `/languages/${language}/${part}`;
      if (typeof source !== 'string') return [];
      const faults: TemplateFault[] = [];
      const fault = (detail: string) => faults.push({ pointer, detail });
      for (const [, name = ''] of source.matchAll(PLACEHOLDER)) {
        if (!Object.hasOwn(variables, name)) fault('Each {{name}} has to be one of the variables.');
      }
      if (/\{\{|\}\}/.test(source.replaceAll(PLACEHOLDER, ''))) fault('A variable is written {{name}}.');
      const asked = optOutWordAskedFor(source);
      if (asked !== null) fault(`${asked} as a reply would opt the person out or in; ask for another word.`);
      return faults;
    }),
  );
}

/** What is wrong with the values somebody gave; an empty list when they can be filled in. */
export function checkVariables({ variables }: TemplateBody, given: Readonly<Record<string, unknown>>): TemplateFault[] {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(variables, name));
  return [
    // Not named by what was sent: a name may be anything, a number too.
    ...(unknown.length === 0 ? [] : [{ pointer: '', detail: 'The template has no such variable.' }]),
    ...Object.entries(variables).flatMap(([name, definition]) => {
      const detail = valueFault(definition, Object.hasOwn(given, name) ? given[name] : undefined);
      return detail === null ? [] : [{ pointer: `/${name}`, detail }];
    }),
  ];
}

/** The language of a template that comes nearest: the one asked for, else English, else its first. */
export function languageFor({ languages }: TemplateBody, wanted: string): string {
  if (Object.hasOwn(languages, wanted)) return wanted;
  if (Object.hasOwn(languages, 'en')) return 'en';
  return Object.keys(languages)[0] ?? 'en';
}

/** What a template is read as. */
export type FilledForm = WrittenForm | 'mail-text';

export interface Filled {
  readonly language: string;
  readonly body: string;
  /** Never escaped: it goes into a header, and has no line breaks. */
  readonly subject: string | null;
}

/** Thrown when variables do not fit their template. They were checked when they came in, so this is a fault of ours. */
export class VariablesDoNotFit extends Error {
  override readonly name = 'VariablesDoNotFit';
  constructor() {
    super('The variables do not fit the template');
  }
}

/**
 * Fills a template in one pass: what looks like a placeholder in a value stays as it is.
 *
 * @param form `html`: paragraphs with every value and every word escaped, and no document around them; `mail-text`: the
 *   same words as plain text
 * @throws {VariablesDoNotFit}
 */
export function fill(template: TemplateBody, language: string, values: VariableValues, form: FilledForm): Filled {
  if (checkVariables(template, values).length > 0) throw new VariablesDoNotFit();
  const chosen = languageFor(template, language);
  const words = template.languages[chosen] ?? { text: '' };
  const write = (source: string, as: WrittenForm): string =>
    source.replaceAll(PLACEHOLDER, (_all, name: string) => {
      const definition = template.variables[name];
      const value = values[name];
      if (definition === undefined || value === undefined) throw new VariablesDoNotFit();
      return writeValue(definition, value, chosen, as);
    });
  const inMail = mailParagraph(template, values, (part) => write(part, 'html'));
  const body = bodyOf(words, form, write, inMail);
  const subject = words.subject === undefined ? null : write(words.subject, 'text').replaceAll(/\s+/g, ' ');
  return { language: chosen, body, subject };
}

function bodyOf(
  words: TemplateWords,
  form: FilledForm,
  write: (source: string, as: WrittenForm) => string,
  inMail: (part: string) => string,
): string {
  switch (form) {
    case 'text':
      return write(words.text, 'text');
    case 'speech':
      return write(words.speech ?? words.text, 'speech');
    case 'mail-text':
      return write(words.mail ?? words.text, 'text');
    case 'html':
      return paragraphs(words.mail ?? words.text, inMail);
  }
}

/** A text that came without a template, in the same forms. */
export function formOfText(text: string, language: string, form: WrittenForm): string {
  if (form === 'html') return paragraphs(text, escapeHtml);
  if (form === 'text') return text;
  const link: VariableDefinition = { type: 'url' };
  return text.replaceAll(/https?:\/\/\S+/gi, (url) => writeValue(link, url, language, 'speech'));
}

export function escapeHtml(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replaceAll(/[&<>"']/g, (sign) => named[sign] ?? sign);
}

/** Whether its words show a link of the reader's own: then only the job it belongs to can send it. */
export function carriesLink({ variables }: Pick<TemplateBody, 'variables'>): boolean {
  return Object.values(variables).some(({ type }) => type === 'link');
}

/** A paragraph that is a link and its name: in an e-mail a button. */
const BUTTON = /^([^{}\n]{1,60}): \{\{(\w+)\}\}$/;

/** Without a style sheet, which mail programs drop; large enough for a thumb, dark enough for weak eyes. */
const BUTTON_STYLE =
  'display:inline-block;padding:12px 20px;border-radius:6px;background:#1a4d8f;color:#ffffff;text-decoration:none;font-weight:bold';

function mailParagraph(template: TemplateBody, values: VariableValues, write: (source: string) => string) {
  return (part: string): string => {
    const [, label, name = ''] = BUTTON.exec(part) ?? [];
    if (label === undefined || template.variables[name]?.type !== 'link') return write(escapeHtml(part));
    return `<a href="${escapeHtml(String(values[name]))}" style="${BUTTON_STYLE}">${escapeHtml(label)}</a>`;
  };
}

function paragraphs(source: string, write: (part: string) => string): string {
  return source
    .split(/\n{2,}/)
    .map((part) => `<p>${write(part).replaceAll('\n', '<br>')}</p>`)
    .join('\n');
}

export { VALUE_TYPES, type WrittenForm };
