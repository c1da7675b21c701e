import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import Ajv, { type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import type { Exchange } from '../simulator/client';

/**
 * Twilio's own OpenAPI document. It belongs to Twilio and is never copied into the project: it is read from
 * beside the project, and checks against it are skipped, loudly, where it is absent.
 */
const DOCUMENT = resolve(__dirname, '../../shared/twilio_api_v2010.json');

export const hasTwilioContract = existsSync(DOCUMENT);
// oxlint-disable-next-line no-console -- a check that is skipped must be seen
if (!hasTwilioContract) console.warn(`Checks against Twilio's OpenAPI document are skipped: ${DOCUMENT} is absent.`);

type Json = Readonly<Record<string, unknown>>;

interface Operation {
  readonly form: ValidateFunction | null;
  readonly query: ValidateFunction;
  readonly answers: Readonly<Record<string, ValidateFunction | null>>;
}

export interface TwilioContract {
  /** What about a request or its answer Twilio's document does not allow; empty when all is well. */
  violations(exchange: Exchange): string[];
}

/** @returns null where the document is absent */
export function openTwilioContract(): TwilioContract | null {
  if (!hasTwilioContract) return null;
  const document = record(JSON.parse(readFileSync(DOCUMENT, 'utf8')));
  const paths = record(document.paths);
  const answers = createAjv(false);
  const requests = createAjv(true);
  const known = new Map<string, Operation>();

  const operationFor = (path: string, method: string): Operation | null => {
    const template = Object.keys(paths).find((each) => matches(each, path) && method in record(paths[each]));
    if (template === undefined) return null;
    const key = `${method} ${template}`;
    const before = known.get(key);
    if (before) return before;
    const described = record(inline(record(paths[template])[method], document));
    const operation = compile(described, requests, answers);
    known.set(key, operation);
    return operation;
  };

  return {
    violations: (exchange) => {
      const name = `${exchange.method} ${exchange.path}`;
      const operation = operationFor(exchange.path, exchange.method.toLowerCase());
      if (!operation) return exchange.status === 404 || exchange.status === 401 ? [] : [`${name}: no such operation`];
      if (exchange.status >= 400) return errorBodyViolations(exchange).map((text) => `${name}: ${text}`);
      return [
        ...check(operation.query, { ...exchange.query }, 'query'),
        ...(operation.form ? check(operation.form, { ...exchange.form }, 'form') : []),
        ...answerViolations(operation, exchange),
      ].map((text) => `${name}: ${text}`);
    },
  };
}

function compile(described: Json, requests: Ajv, answers: Ajv): Operation {
  const parameters = (Array.isArray(described.parameters) ? described.parameters : []).map((each) => record(each));
  const inQuery = parameters.filter((each) => each.in === 'query');
  const query = {
    type: 'object',
    properties: Object.fromEntries(inQuery.map((each) => [String(each.name), each.schema])),
    additionalProperties: false,
  };
  const form = schemaIn(described.requestBody, 'application/x-www-form-urlencoded');
  const responses = Object.entries(record(described.responses)).map(([status, response]) => {
    const schema = schemaIn(response, 'application/json');
    return [status, schema ? answers.compile(closed(schema)) : null] as const;
  });
  return {
    form: form ? requests.compile(closed(form)) : null,
    query: requests.compile(query),
    answers: Object.fromEntries(responses),
  };
}

function answerViolations(operation: Operation, exchange: Exchange): string[] {
  const status = String(exchange.status);
  if (!(status in operation.answers)) return [`status ${status} is not described`];
  const validate = operation.answers[status];
  if (!validate) return exchange.answer === null ? [] : ['an answer where none is described'];
  return check(validate, exchange.answer, 'answer');
}

/** Twilio's errors are the same for every operation and not in the document: docs/usage/twilios-response. */
function errorBodyViolations(exchange: Exchange): string[] {
  const body = record(exchange.answer);
  const wrong: string[] = [];
  if (typeof body.code !== 'number') wrong.push('error without code');
  if (typeof body.message !== 'string') wrong.push('error without message');
  if (typeof body.more_info !== 'string') wrong.push('error without more_info');
  if (body.status !== exchange.status) wrong.push('error with another status');
  return wrong;
}

function check(validate: ValidateFunction, value: unknown, where: string): string[] {
  // Values may be coerced in place: a copy keeps the record as it was.
  if (validate(structuredClone(value))) return [];
  return (validate.errors ?? []).map(
    (error) => `${where}${error.instancePath} ${error.message ?? ''} ${JSON.stringify(error.params)}`,
  );
}

function createAjv(coerce: boolean): Ajv {
  const ajv = new Ajv({
    strict: false,
    allErrors: true,
    validateSchema: false,
    ...(coerce ? { coerceTypes: 'array' } : {}),
  });
  addFormats(ajv);
  ajv.addFormat(
    'date-time-rfc-2822',
    /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \+0000$/,
  );
  // In answers Twilio's own examples hold paths, in requests only whole addresses work.
  ajv.addFormat('uri', coerce ? /^https?:\/\/\S+$/ : /^(https?:\/)?\/\S+$/);
  ajv.addFormat('uri-map', true);
  ajv.addFormat('phone-number-capabilities', true);
  ajv.addFormat('currency', /^[A-Z]{3}$/);
  ajv.addFormat('http-method', /^(GET|POST)$/);
  ajv.addFormat('phone-number', /^\+\d{6,15}$/);
  ajv.addFormat('endpoint', /^(\+\d{6,15}|sip:|client:)/);
  ajv.addFormat('twiml', /^\s*<[\s\S]+>\s*$/);
  return ajv;
}

/** No fields but those described: a misspelt parameter is ignored by Twilio in silence. */
function closed(schema: Json): Json {
  return { ...schema, additionalProperties: false };
}

function schemaIn(holder: unknown, type: string): Json | null {
  const content = record(record(holder).content);
  return type in content ? record(record(content[type]).schema) : null;
}

/** The value with every `$ref` replaced by what it names, examples left out. */
function inline(value: unknown, document: Json): unknown {
  if (Array.isArray(value)) return value.map((each) => inline(each, document));
  if (typeof value !== 'object' || value === null) return value;
  const source = record(value);
  if (typeof source.$ref === 'string') {
    const target = source.$ref
      .slice(2)
      .split('/')
      .reduce<unknown>((at, part) => record(at)[part], document);
    return inline(target, document);
  }
  return Object.fromEntries(
    Object.entries(source)
      // What has no type may be anything, null too; the validator takes one word only with the other.
      .filter(([name]) => name !== 'nullable' || source.type !== undefined)
      .filter(([name]) => name !== 'examples' && name !== 'description')
      .map(([name, each]) => [name, inline(each, document)]),
  );
}

function matches(template: string, path: string): boolean {
  const pattern = template.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+?');
  return new RegExp(`^${pattern}$`).test(path);
}

function record(value: unknown): Json {
  return isRecord(value) ? value : {};
}

function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null;
}
