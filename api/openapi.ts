import type { Role } from './authentication';
import { isCounted, type RouteName, type Rule, RULES } from './authorisation';
import { OPERATIONS, type Operation, type OperationAnswer } from './openapi-operations';
import { type Json, type Schemas, schemasOfOperations } from './openapi-schemas';
import { type ProblemCode, PROBLEMS } from './problems';
import { problemShape } from './problem-shapes';

/** Of the API, not of the program: it changes when a client has to. */
const API_VERSION = '1.0.0';

const ABOUT = `Connects people who seek support with people who give it, by phone, without either of them learning who the other is.

Errors are \`application/problem+json\` (RFC 9457): compare \`code\`, show \`hint\` and \`helplines\`. Every answer names its request in \`X-Request-Id\`. Times are ISO 8601 in UTC. What belongs to somebody else is a 404.`;

const TAGS: readonly { name: Operation['tag']; description: string }[] = [
  { name: 'Calls', description: 'Ask for a call, follow it, cancel it.' },
  { name: 'Recordings', description: 'Conversations that both sides agreed to have recorded. For admins.' },
  { name: 'Contact points', description: 'Numbers and addresses that a person has saved.' },
  {
    name: 'Alerts',
    description: 'Calls that tell something, until somebody says that they have heard it. For staff and services.',
  },
  { name: 'Buddies', description: 'Friends who have agreed to be asked how somebody is doing.' },
  { name: 'Messages', description: 'Texts and e-mails to one person each.' },
  { name: 'Mentors', description: 'Who can be rung, and when. For admins.' },
  { name: 'Switches', description: 'What may go out while the service runs. For admins.' },
  { name: 'Batches', description: 'Messages to many: checked, then started. For staff, admins and services.' },
  { name: 'Templates', description: 'What the organisation says, in versions.' },
  { name: 'Preferences', description: 'What people want to get from us.' },
  { name: 'Wellbeing', description: 'Scores, the alerts they begin, and who is asked then.' },
  { name: 'Costs', description: 'What it costs, and the budget. For admins.' },
  { name: 'Events', description: 'What Twilio told us. For admins.' },
  { name: 'Incidents', description: 'What the watchdog has found. For staff and admins.' },
  { name: 'Pages', description: 'Pages of mentors and staff, in a browser, behind a sign-in of their own.' },
  { name: 'Service', description: 'The service about itself. For anybody.' },
  { name: 'Twilio', description: 'Not for apps: asked by Twilio alone, proven by its signature.' },
];

/** In whichever answers they occur. */
const RESPONSE_HEADERS = {
  ETag: { description: 'Names this version: send it as `If-Match` with a change.', schema: { type: 'string' } },
  Location: { description: 'Where what was made can be found.', schema: { type: 'string' } },
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 1 } },
  'WWW-Authenticate': { description: '`Bearer`.', schema: { type: 'string' } },
} as const;

/** Without an example, which the page would fill in: every try would then be the same request. */
const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Any text of 1 to 255 visible ASCII characters, such as a UUID: new for each thing the user wants, the same for each attempt to get it. Remembered for a day at least; another body under the same key is refused.',
  schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
} as const;

const IF_MATCH = {
  name: 'If-Match',
  in: 'header',
  required: true,
  description: 'The `ETag` of the version that was changed, such as `"3"`; `*` overwrites whatever is there.',
  schema: { type: 'string' },
} as const;

/**
 * The API as OpenAPI 3.1: routes and roles from the table of rules, shapes from the schemas that the routes validate
 * with, problems from the catalogue. Nothing is described twice.
 */
export function openapiDocument(): Json {
  const schemas = schemasOfOperations();
  const paths: Record<string, Record<string, Json>> = {};
  for (const name of routeNames()) {
    const [method = '', pattern = ''] = name.split(' ');
    const path = pattern.replace(/:(\w+)/g, '{$1}');
    (paths[path] ??= {})[method.toLowerCase()] = operation(name, schemas);
  }
  return {
    openapi: '3.1.1',
    info: { title: 'Kindline API', version: API_VERSION, description: ABOUT },
    servers: [{ url: '/', description: 'Where this document was found.' }],
    tags: TAGS,
    paths,
    components: {
      securitySchemes: {
        accessToken: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'An access token of the configured OpenID issuer.',
        },
        pageSession: {
          type: 'apiKey',
          in: 'cookie',
          name: 'kindline-session',
          description:
            'Set by the sign-in; `__Host-kindline-session` over https. What changes something needs a form too.',
        },
        twilioSignature: {
          type: 'apiKey',
          in: 'header',
          name: 'X-Twilio-Signature',
          description: 'HMAC-SHA1 over the public URL and the fields, by Twilio.',
        },
      },
      schemas: schemas.components,
    },
  };
}

function routeNames(): RouteName[] {
  return Object.keys(RULES).filter((name): name is RouteName => Object.hasOwn(RULES, name));
}

function operation(name: RouteName, schemas: Schemas): Json {
  const rule: Rule = RULES[name];
  const about: Operation = OPERATIONS[name];
  const parameters = [
    ...pathParameters(name),
    ...queryParameters(about, schemas),
    ...(about.isRepeatable === true ? [IDEMPOTENCY_KEY] : []),
    ...(about.isEdit === true ? [IF_MATCH] : []),
  ];
  return {
    operationId: about.id,
    tags: [about.tag],
    summary: about.summary,
    description: [about.description, whoMay(rule)].filter((text) => text !== undefined).join('\n\n'),
    security: securityOf(rule),
    ...(rule.access === 'signed-in' || rule.access === 'page' ? { 'x-roles': rule.roles } : {}),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...requestBody(name, rule, about, schemas),
    responses: { ...answers(about, schemas), ...problemAnswers(name, rule, about, schemas) },
  };
}

function whoMay(rule: Rule): string {
  if (rule.access === 'public') return 'For anybody; no sign-in.';
  if (rule.access === 'link') return 'For whoever has the link from a message; no sign-in.';
  if (rule.access === 'sns') return 'Not for apps: only AWS SNS can sign this request.';
  if (rule.access === 'twilio') return 'Not for apps: only Twilio can sign this request.';
  const roles = `Roles: ${inWords(rule.roles)}.`;
  if (rule.access === 'page') return `${roles} Signed in to the pages.`;
  if (rule.owner === undefined) return roles;
  const { exceptFor } = rule.owner;
  return `${roles} Only one’s own${exceptFor.length === 0 ? '' : `, except for ${inWords(exceptFor)}`}.`;
}

function inWords(roles: readonly Role[]): string {
  return roles.map((role) => `\`${role}\``).join(', ');
}

function securityOf(rule: Rule): readonly Json[] {
  if (rule.access === 'public' || rule.access === 'sns' || rule.access === 'link') return [];
  if (rule.access === 'page') return [{ pageSession: [] }];
  return rule.access === 'twilio' ? [{ twilioSignature: [] }] : [{ accessToken: [] }];
}

function pathParameters(name: RouteName): Json[] {
  return [...name.matchAll(/:(\w+)/g)].map(([, parameter = '']) => ({
    name: parameter,
    in: 'path',
    required: true,
    schema: parameter.endsWith('Id') ? { type: 'string', format: 'uuid' } : { type: 'string' },
  }));
}

function queryParameters({ query }: Operation, schemas: Schemas): Json[] {
  if (query === undefined) return [];
  const properties = schemas.input(query)['properties'];
  return Object.entries(typeof properties === 'object' ? { ...properties } : {}).map(([parameter, schema]) => ({
    name: parameter,
    in: 'query',
    required: false,
    schema,
  }));
}

function requestBody(name: RouteName, rule: Rule, { body }: Operation, schemas: Schemas): Json {
  if (rule.access === 'twilio') {
    const form = { type: 'object', description: 'Fields of Twilio’s.', additionalProperties: { type: 'string' } };
    return { requestBody: { content: { 'application/x-www-form-urlencoded': { schema: form } } } };
  }
  if (rule.access === 'sns') {
    const message = { type: 'string', description: 'A message of SNS, JSON that carries its own signature.' };
    return { requestBody: { content: { 'text/plain': { schema: message } } } };
  }
  if (rule.access === 'page') return name.startsWith('POST ') ? { requestBody: PAGE_FORM } : {};
  if (rule.access === 'link') return name.startsWith('POST ') ? { requestBody: LINK_FORM } : {};
  if (body === undefined) return {};
  const examples = Object.entries(body.examples).map(([summary, value]) => [
    summary.replaceAll(' ', '-'),
    { summary, value },
  ]);
  const json = { schema: schemas.input(body.schema), examples: Object.fromEntries(examples) };
  const csv =
    body.csv === undefined
      ? {}
      : { 'text/csv': { schema: { type: 'string', description: body.csv.description }, example: body.csv.example } };
  return { requestBody: { required: true, content: { 'application/json': json, ...csv } } };
}

function answers({ answers }: Operation, schemas: Schemas): Json {
  return Object.fromEntries(Object.entries(answers).map(([status, one]) => [status, answer(one, schemas)]));
}

function answer({ description, content, example, headers }: OperationAnswer, schemas: Schemas): Json {
  const media = Object.entries(content ?? {}).map(([type, schema]) => [
    type,
    schema === null
      ? { schema: { type: 'string' } }
      : { schema: schemas.output(schema), ...(example === undefined ? {} : { example }) },
  ]);
  return {
    description,
    ...(headers === undefined ? {} : { headers: pick(headers) }),
    ...(media.length === 0 ? {} : { content: Object.fromEntries(media) }),
  };
}

/** Sent by a page of ours: nobody else has its token. */
const PAGE_FORM = {
  required: true,
  content: {
    'application/x-www-form-urlencoded': {
      schema: {
        type: 'object',
        required: ['formToken'],
        properties: { formToken: { type: 'string', description: 'As it stands in the page.' } },
        additionalProperties: { type: 'string' },
      },
    },
  },
} as const;

/** The link is all the proof there is. */
const LINK_FORM = {
  content: {
    'application/x-www-form-urlencoded': {
      schema: { type: 'object', additionalProperties: { type: 'string' } },
    },
  },
} as const;

/** What a page can have instead of its content; the words are those of the problem with the same status. */
const PAGE_ANSWERS = {
  401: 'Not signed in any more; nothing was changed.',
  403: 'Not for this role, or no form of ours.',
  413: 'Larger than any form of ours.',
  429: 'Asked too often.',
  500: 'Something went wrong on our side.',
  503: 'Something the page needs is down.',
} as const;

const NEEDS_SESSION: readonly string[] = ['401', '403'];

/** Problems by status, each with the codes it can have. */
function problemAnswers(name: RouteName, rule: Rule, about: Operation, schemas: Schemas): Json {
  if (rule.access === 'twilio') {
    return {
      403: { description: 'Not signed by Twilio for our account; says nothing.' },
      413: { description: 'Larger than anything Twilio sends; says nothing.' },
      415: { description: 'Compressed, which Twilio’s requests never are; says nothing.' },
    };
  }
  if (rule.access === 'sns') {
    return {
      403: { description: 'Not signed by AWS for a topic of ours; says nothing.' },
      413: { description: 'Larger than anything SNS sends; says nothing.' },
      415: { description: 'Compressed, which SNS’s requests never are; says nothing.' },
    };
  }
  // Public ones too: whoever signs in reads a page, whatever happens.
  if (about.tag === 'Pages') {
    const isGet = name.startsWith('GET ');
    const others = Object.entries(PAGE_ANSWERS).filter(
      ([status]) => !(status in about.answers) && !(isGet && ['401', '413'].includes(status)),
    );
    return Object.fromEntries(
      others
        .filter(([status]) => rule.access === 'page' || !NEEDS_SESSION.includes(status))
        .map(([status, description]) => [
          status,
          { description, content: { 'text/html': { schema: { type: 'string' } } } },
        ]),
    );
  }
  const all = problemsOf(name, rule, about);
  const statuses = [...new Set(all.map((code) => PROBLEMS[code][0]))];
  const byStatus = statuses.map((status) => [status, all.filter((code) => PROBLEMS[code][0] === status)] as const);
  return Object.fromEntries(
    byStatus.map(([status, codes]) => [
      status,
      {
        description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code][1]}.`).join('\n\n'),
        ...(status === 401 ? { headers: pick(['WWW-Authenticate']) } : {}),
        ...(status === 429 || status === 503 ? { headers: pick(['Retry-After']) } : {}),
        content: {
          'application/problem+json': {
            schema: { allOf: [schemas.output(problemShape), { properties: { code: { enum: codes } } }] },
          },
        },
      },
    ]),
  );
}

function problemsOf(name: RouteName, rule: Rule, about: Operation): ProblemCode[] {
  const codes = new Set<ProblemCode>(['malformed-request', 'internal-error']);
  const add = (when: boolean, ...more: readonly ProblemCode[]): void => {
    if (when) for (const code of more) codes.add(code);
  };
  add(rule.access === 'signed-in', 'token-required', 'token-invalid', 'role-not-allowed');
  add(rule.access === 'signed-in', 'sign-in-unavailable', 'temporarily-unavailable');
  add(isCounted(rule), 'too-many-requests');
  const hasBody = about.body !== undefined || (rule.access === 'signed-in' && name.startsWith('POST '));
  add(hasBody, 'malformed-json', 'invalid-body', 'body-too-large', 'unsupported-media-type');
  add(about.query !== undefined, 'invalid-query');
  add(about.isRepeatable === true, 'idempotency-key-invalid', 'idempotency-key-reused');
  add(about.isEdit === true, 'precondition-required', 'stale-version');
  add(true, ...(about.problems ?? []));
  return [...codes].toSorted((a, b) => PROBLEMS[a][0] - PROBLEMS[b][0]);
}

function pick(names: readonly (keyof typeof RESPONSE_HEADERS)[]): Json {
  return Object.fromEntries(names.map((name) => [name, RESPONSE_HEADERS[name]]));
}
