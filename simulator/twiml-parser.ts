import { XMLParser, XMLValidator } from 'fast-xml-parser';

export interface TwimlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly TwimlElement[];
  /** All text inside, elements such as `<break/>` left out. */
  readonly text: string;
}

/** Thrown when a document cannot be run; `code` is what Twilio's debugger shows. */
export class TwimlFailure extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
    this.name = 'TwimlFailure';
  }
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  // Numeric entities too: `&#39;` is common in TwiML.
  htmlEntities: true,
});

const ATTRIBUTES = ':@';
const TEXT = '#text';

/**
 * @returns the verbs of `<Response>` in order
 * @throws TwimlFailure 12100 when it is no well-formed XML or has another root
 */
export function parseTwiml(document: string): readonly TwimlElement[] {
  const valid = XMLValidator.validate(document);
  if (valid !== true) throw new TwimlFailure(12100, `document parse failure: ${valid.err.code}`);
  const nodes: unknown = parser.parse(document);
  const roots = elementsOf(nodes);
  const root = roots.find((element) => !element.name.startsWith('?'));
  if (root?.name !== 'Response') throw new TwimlFailure(12100, 'document parse failure: no <Response>');
  return root.children;
}

function elementsOf(nodes: unknown): TwimlElement[] {
  const elements: TwimlElement[] = [];
  for (const node of Array.isArray(nodes) ? nodes : []) {
    if (!isRecord(node)) continue;
    const name = Object.keys(node).find((key) => key !== ATTRIBUTES && key !== TEXT);
    if (name === undefined) continue;
    elements.push({
      name,
      attributes: attributesOf(node[ATTRIBUTES]),
      children: elementsOf(node[name]),
      text: textOf(node[name]).replace(/\s+/g, ' ').trim(),
    });
  }
  return elements;
}

function textOf(nodes: unknown): string {
  let text = '';
  for (const node of Array.isArray(nodes) ? nodes : []) {
    if (!isRecord(node)) continue;
    for (const [key, value] of Object.entries(node)) {
      if (key === TEXT) text += String(value);
      else if (key !== ATTRIBUTES) text += textOf(value);
    }
  }
  return text;
}

function attributesOf(value: unknown): Record<string, string> {
  if (!isRecord(value)) return {};
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, String(text)]));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
