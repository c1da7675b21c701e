import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTestDatabase, type TestDatabase } from '../../postgres';

const FILE = join(__dirname, '..', '..', '..', 'DATA_MAP.md');

const HEAD = `# Data map

Every column of the database, its data class and what it is for. Made from the comments of the columns themselves by
\`KINDLINE_UPDATE_DATA_MAP=1 npm test -- data-map\`; \`npm test\` fails when it is not up to date, or a column has no class.

| class | what | may be |
|---|---|---|
| sealed | numbers, addresses, names, texts | encrypted with a key per person, here and nowhere else |
| secret | keys, wrapped by the key ring; link tokens | never in payloads, logs or URLs |
| sensitive | what somebody asked for, or is good at | named tables and encrypted payloads |
| pseudonymous | ids, keyed hashes, SIDs | tables, audit entries, payloads, callback URLs, log lines |
| operational | states, counts, times, countries, codes | anywhere |
`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function dataMap(): Promise<string> {
  const { rows } = await database.owner.query<{ table: string; about: string | null; column: string; comment: string }>(
    `SELECT c.relname AS table, obj_description(c.oid) AS about, a.attname AS column,
            col_description(c.oid, a.attnum) AS comment
       FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE s.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
      ORDER BY c.relname, a.attnum`,
  );
  const lines = [HEAD];
  for (const table of new Set(rows.map((row) => row.table))) {
    const columns = rows.filter((row) => row.table === table);
    const about = columns[0]?.about;
    lines.push(`## ${table}\n${about ? `\n${about}.\n` : ''}\n| column | class | |\n|---|---|---|`);
    for (const { column, comment } of columns) {
      const [, dataClass = '', note = ''] = /^class: (\w+)(?:; (.*))?$/.exec(comment ?? '') ?? [];
      lines.push(`| \`${column}\` | ${dataClass} | ${note} |`);
    }
    lines.push('');
  }
  return `${lines.join('\n').trimEnd()}\n`;
}

test('DATA_MAP.md says what the columns say', async () => {
  const map = await dataMap();
  if (process.env['KINDLINE_UPDATE_DATA_MAP']) writeFileSync(FILE, map);
  expect(readFileSync(FILE, 'utf8')).toBe(map);
});
