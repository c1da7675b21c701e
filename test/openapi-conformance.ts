import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { openapiDocument } from '../api/openapi';

/** Holds real answers of the service against its OpenAPI document: what the document does not say must not happen. */

const DOCUMENT = 'https://api.example.org/openapi.json';
const document = openapiDocument();
// Not strict: around the schemas the document has words that are OpenAPI's and not JSON Schema's.
const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true })).addSchema(document, DOCUMENT);

export interface SeenAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly headers: Headers;
  /** Parsed, when it is JSON. */
  readonly body: unknown;
}

type Node = { readonly [key: string]: unknown };

/**
 * What is wrong with an answer by the document; empty when nothing is. An address that no route has must be answered
 * with a problem.
 */
export function undocumented(method: string, path: string, answer: SeenAnswer): string[] {
  const operation = findOperation(method, path);
  if (operation === null) {
    return answer.status === 404 || answer.status === 400 ? schemaErrors(PROBLEM, answer.body) : ['no such route'];
  }
  const at = `${operation}/responses/${answer.status}`;
  const response = nodeAt(at);
  if (response === null) return [`${method} ${path}: ${answer.status} is not documented`];
  const headers = Object.keys(child(response, 'headers') ?? {}).filter((name) => !answer.headers.has(name));
  return [...headers.map((name) => `${name} is documented and missing`), ...contentErrors(at, response, answer)];
}

/** What does not fit a schema of the document, by its JSON Pointer. */
export function schemaErrors(pointer: string, value: unknown): string[] {
  const validate = ajv.getSchema(`${DOCUMENT}#${pointer}`);
  if (validate === undefined) return [`${pointer} is no schema`];
  if (validate(value) === true) return [];
  return (validate.errors ?? []).map(({ instancePath, message, params }) => {
    return `${instancePath} ${message} ${JSON.stringify(params)}`;
  });
}

const PROBLEM = '/components/schemas/Problem';

function contentErrors(at: string, response: Node, { contentType, body }: SeenAnswer): string[] {
  const content = child(response, 'content');
  const type = contentType?.split(';')[0] ?? null;
  if (content === null) return type === null ? [] : [`an empty answer was documented, not ${type}`];
  if (type === null || !Object.hasOwn(content, type)) return [`${type} is not documented`];
  return type.includes('json') ? schemaErrors(`${at}/content/${escaped(type)}/schema`, body) : [];
}

/** JSON Pointer of the operation, or null. Where two patterns fit, the one with fewer parameters is meant. */
function findOperation(method: string, path: string): string | null {
  const asked = path.split('?')[0] ?? '';
  const fitting = Object.keys(child(document, 'paths') ?? {})
    .filter((pattern) => new RegExp(`^${pattern.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`).test(asked))
    .toSorted((a, b) => a.split('{').length - b.split('{').length);
  const operations = fitting.map((pattern) => `/paths/${escaped(pattern)}/${method.toLowerCase()}`);
  return operations.find((pointer) => nodeAt(pointer) !== null) ?? null;
}

function nodeAt(pointer: string): Node | null {
  return pointer
    .split('/')
    .slice(1)
    .reduce<Node | null>((node, key) => (node === null ? null : child(node, unescaped(key))), document);
}

function child(node: Node, key: string): Node | null {
  const value = Object.hasOwn(node, key) ? node[key] : undefined;
  return typeof value === 'object' && value !== null ? { ...value } : null;
}

function escaped(key: string): string {
  return encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'));
}

function unescaped(key: string): string {
  return decodeURIComponent(key).replaceAll('~1', '/').replaceAll('~0', '~');
}
