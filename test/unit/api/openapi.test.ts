import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Rule, RULES } from '../../../api/authorisation';
import { openapiDocument } from '../../../api/openapi';
import { PROBLEMS } from '../../../api/problems';
import { schemaErrors } from '../../openapi-conformance';

const run = promisify(execFile);
const ROOT = join(__dirname, '..', '..', '..');
const CHECKED_IN = join(ROOT, 'docs', 'openapi.json');
// oxlint-disable-next-line typescript/no-explicit-any -- read as whoever gets the file does
const document: any = JSON.parse(JSON.stringify(openapiDocument()));

interface Seen {
  readonly name: string;
  readonly rule: Rule;
  readonly path: string;
  readonly method: string;
  readonly operation: any; // oxlint-disable-line typescript/no-explicit-any
}

const ROUTES: Seen[] = (Object.entries(RULES) as [string, Rule][]).map(([name, rule]) => {
  const [method = '', pattern = ''] = name.split(' ');
  const path = pattern.replace(/:(\w+)/g, '{$1}');
  return { name, rule, path, method, operation: document.paths[path]?.[method.toLowerCase()] };
});
const parametersOf = ({ operation }: Seen): string[] =>
  (operation.parameters ?? []).map((parameter: { name: string }) => parameter.name);
const pointerTo = ({ path, method }: Seen, ...rest: string[]) =>
  ['', 'paths', path, method.toLowerCase(), ...rest]
    .map((key) => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1')))
    .join('/');

test('the document that is checked in is the one that is made', () => {
  // To the letter: `npm run --silent openapi > docs/openapi.json` after a change.
  expect(readFileSync(CHECKED_IN, 'utf8')).toBe(`${JSON.stringify(openapiDocument(), null, 2)}\n`);
});

test('npm run openapi prints it with nothing configured and nothing running', async () => {
  const { stdout } = await run(process.execPath, [join(ROOT, 'dist', 'scripts', 'openapi.js')], {
    env: {},
    maxBuffer: 16 * 1024 * 1024,
  });
  expect(JSON.parse(stdout)).toEqual(document);
});

test('it is OpenAPI 3.1, by the official schema', async () => {
  const check = `
    import { Validator } from '@seriousme/openapi-schema-validator';
    const validator = new Validator();
    const { valid, errors } = await validator.validate(${JSON.stringify(CHECKED_IN)});
    process.stdout.write(JSON.stringify({ valid, version: validator.version, errors }));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', check], { cwd: ROOT });
  expect(JSON.parse(stdout)).toEqual({ valid: true, version: '3.1' });
});

test('it has every route of the table of rules, and no other', () => {
  const documented = Object.entries<object>(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  expect(documented.toSorted()).toEqual(Object.keys(RULES).toSorted());
});

describe.each(ROUTES)('$name', (route) => {
  const { rule, operation } = route;

  test('says who may ask', () => {
    const expected = {
      public: [],
      sns: [],
      link: [],
      page: [{ pageSession: [] }],
      twilio: [{ twilioSignature: [] }],
      'signed-in': [{ accessToken: [] }],
    };
    expect(operation.security).toEqual(expected[rule.access]);
    const roles = rule.access === 'signed-in' || rule.access === 'page' ? rule.roles : [];
    for (const role of roles) expect(operation.description).toContain(`\`${role}\``);
    if (rule.access === 'twilio') expect(operation).toMatchObject({ tags: ['Twilio'], description: /Not for apps/ });
  });

  test('has the problems that its rule can answer with', () => {
    const codes = codesOf(operation);
    const wanted = rule.access === 'signed-in' ? ['token-required', 'token-invalid', 'role-not-allowed'] : [];
    expect(codes).toEqual(expect.arrayContaining(wanted));
    if (rule.access === 'signed-in' && rule.owner !== undefined) expect(codes).toContain('not-found');
    expect(codes.filter((code) => !Object.hasOwn(PROBLEMS, code))).toEqual([]);
  });

  test('has examples that fit its own shapes', () => {
    const bodies = operation.requestBody?.content['application/json'];
    const inBody = Object.values<{ value: unknown }>(bodies?.examples ?? {});
    if (bodies !== undefined) expect(inBody).not.toEqual([]);
    const body = pointerTo(route, 'requestBody', 'content', 'application/json', 'schema');
    for (const { value } of inBody) expect(schemaErrors(body, value)).toEqual([]);
    for (const [status, { content }] of Object.entries<{ content?: Record<string, { example?: unknown }> }>(
      operation.responses,
    )) {
      const example = content?.['application/json']?.example;
      const schema = pointerTo(route, 'responses', status, 'content', 'application/json', 'schema');
      if (example !== undefined) expect(schemaErrors(schema, example)).toEqual([]);
    }
  });
});

test('what starts or makes something takes an Idempotency-Key', () => {
  const taking = ROUTES.filter((route) => parametersOf(route).includes('Idempotency-Key')).map(({ name }) => name);
  // These are safe to repeat by themselves; everything else that is POSTed by an app makes something.
  const posted = ROUTES.filter(({ rule, method }) => rule.access === 'signed-in' && method === 'POST');
  const isRepeatable = (name: string) =>
    /\/(replay|resend|start|pause|resume|cancel|preview|acknowledge|feedback|link|import|mentor-call-access|scores|close|confirm-emergency|dry-run)$/.test(
      name,
    );
  expect(taking).toEqual(posted.map(({ name }) => name).filter((name) => !isRepeatable(name)));
});

test('what is edited wants If-Match, and gives an ETag wherever it is answered', () => {
  const edits = ROUTES.filter((route) => parametersOf(route).includes('If-Match'));
  expect(edits.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['PATCH /mentors/:mentorId', 'DELETE /mentors/:mentorId', 'PUT /costs/budget']),
  );
  const isTagged = ({ operation }: (typeof ROUTES)[number]) =>
    Object.values<{ headers?: object }>(operation.responses).some(({ headers }) =>
      Object.hasOwn(headers ?? {}, 'ETag'),
    );
  // What is gone has no version.
  expect(edits.filter(({ method }) => method !== 'DELETE').filter((edit) => !isTagged(edit))).toEqual([]);
  const read = edits.map(({ name }) => name.replace(/^\w+ /, 'GET ').replace('/windows', ''));
  expect(ROUTES.filter(({ name }) => read.includes(name)).filter((one) => !isTagged(one))).toEqual([]);
});

test('every list has cursors', () => {
  const lists = ROUTES.filter(({ operation }) => JSON.stringify(operation.responses).includes('nextCursor'));
  expect(lists.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['GET /mentor-calls', 'GET /mentors', 'GET /webhook-events', 'GET /contact-points']),
  );
  for (const list of lists.filter(({ name }) => name !== 'GET /contact-points')) {
    expect(parametersOf(list)).toEqual(expect.arrayContaining(['cursor', 'limit']));
  }
});

test('every code of the catalogue can be answered by some route', () => {
  const used = new Set(ROUTES.flatMap(({ operation }) => codesOf(operation)));
  // The codec server is an application of its own; its problems are explained here too.
  const ofTheCodecServer = ['namespace-not-allowed', 'origin-not-allowed', 'payload-not-readable'];
  // On a page its title and hint are the words that a person reads.
  const ofThePages = ['form-not-ours', 'session-over', 'sign-in-failed', 'sign-in-not-configured'];
  expect(
    Object.keys(PROBLEMS)
      .filter((code) => !used.has(code))
      .toSorted(),
  ).toEqual([...ofTheCodecServer, ...ofThePages].toSorted());
});

test('operations have names of their own, and examples hold no number but fictional ones', () => {
  const ids = ROUTES.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const numbers = JSON.stringify(document).match(/\+\d{7,}/g) ?? [];
  expect(numbers.filter((number) => !/^\+1\d{3}55501\d{2}$/.test(number))).toEqual([]);
});

function codesOf(operation: Seen['operation']): string[] {
  return Object.values<{
    content?: Record<string, { schema: { allOf: { properties?: { code: { enum: string[] } } }[] } }>;
  }>(operation.responses).flatMap(
    ({ content }) => content?.['application/problem+json']?.schema.allOf[1]?.properties?.code.enum ?? [],
  );
}
