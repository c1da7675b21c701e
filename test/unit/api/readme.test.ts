import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Rule, RULES } from '../../../api/authorisation';
import { openapiDocument } from '../../../api/openapi';

/** The table of the README, held against the table of rules. */
const readme = readFileSync(join(__dirname, '..', '..', '..', 'README.md'), 'utf8');
const section = readme.split('## The API')[1]?.split('\n## ')[0] ?? '';
const lines = section.split('\n').filter((line) => line.startsWith('| `'));

const ROUTES = (Object.entries(RULES) as [string, Rule][])
  .filter(
    ([name, { access }]) => access !== 'twilio' && access !== 'sns' && name !== 'GET /' && name !== 'GET /docs/:asset',
  )
  .map(([name, rule]) => ({ name: name.replace(/:(\w+)/g, '{$1}'), rule }));

test('names every route once, and no other', () => {
  const named = lines.flatMap((line) => [...line.matchAll(/`([A-Z]+ \/[^`]*)`/g)].map(([, name]) => name));
  expect(named.toSorted()).toEqual(ROUTES.map(({ name }) => name).toSorted());
});

test.each(ROUTES)('says who may ask $name, and which header it takes', ({ name, rule }) => {
  const line = lines.find((one) => one.includes(`\`${name}\``)) ?? '';
  const roles = rule.access === 'signed-in' || rule.access === 'page' ? rule.roles : ['anybody'];
  for (const role of roles) expect(line.split('|')[2]).toContain(role);
  const [method = '', path = ''] = name.split(' ');
  const operation: unknown = Reflect.get(
    Object(Reflect.get(Object(openapiDocument()['paths']), path)),
    method.toLowerCase(),
  );
  const marked = new RegExp(`\`${name.replaceAll(/[{}/]/g, '\\$&')}\` ([¹²])?`).exec(line)?.[1];
  const parameters = JSON.stringify(Reflect.get(Object(operation), 'parameters') ?? []);
  expect(marked).toBe(
    parameters.includes('"Idempotency-Key"') ? '¹' : parameters.includes('"If-Match"') ? '²' : undefined,
  );
});

test('explains its marks', () => {
  expect(section).toMatch(/¹ Takes an `Idempotency-Key`[^²]*² Needs `If-Match`/);
});
