import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { withClient } from './postgres';

/** Where something that must be sealed was found in the clear. Names the place, never the finding. */
export interface Finding {
  readonly place: string;
  /** Position of the value in the list that was searched for. */
  readonly value: number;
  readonly spelling: string;
}

/** How one piece of data may be written, by the name of the spelling. */
export function spellingsOf(value: string): Record<string, Buffer> {
  const digits = value.replace(/\D/g, '');
  // A name or an address has no spellings of digits.
  const phone: Record<string, string> =
    /^\+\d{8,15}$/.test(value) && digits.startsWith('1')
      ? {
          national: `(${digits.slice(1, 4)}) ${digits.slice(4, 7)}-${digits.slice(7)}`,
          spaced: `${digits.slice(1, 4)} ${digits.slice(4, 7)} ${digits.slice(7)}`,
          dashed: `${digits.slice(1, 4)}-${digits.slice(4, 7)}-${digits.slice(7)}`,
          digits: digits.slice(1),
        }
      : /^\+\d{8,15}$/.test(value)
        ? { digits: digits.slice(2) }
        : {};
  const plain = { 'as it is': value, 'URL-encoded': encodeURIComponent(value), ...phone };
  const bytes = Buffer.from(value);
  const hex = bytes.toString('hex');
  return {
    ...Object.fromEntries(Object.entries(plain).map(([name, text]) => [name, Buffer.from(text)])),
    hex: Buffer.from(hex),
    HEX: Buffer.from(hex.toUpperCase()),
    ...Object.fromEntries(base64Cores(bytes).map((core, at) => [`base64 at ${at}`, Buffer.from(core)])),
  };
}

/**
 * What stands in the base64 of any text that contains the bytes: three forms, one for each place at which they can
 * begin, without the characters at both ends that also depend on the neighbours.
 */
export function base64Cores(bytes: Buffer): [string, string, string] {
  const at = (offset: number) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes]).toString('base64');
    return encoded.slice(Math.ceil((offset * 8) / 6), Math.floor(((offset + bytes.length) * 8) / 6));
  };
  return [at(0), at(1), at(2)];
}

/** Searches one text or file content for every spelling of every value. */
export function searchBytes(place: string, content: Buffer, values: readonly string[]): Finding[] {
  return values.flatMap((text, value) =>
    Object.entries(spellingsOf(text))
      .filter(([, bytes]) => content.includes(bytes))
      .map(([spelling]) => ({ place, value, spelling })),
  );
}

/** Searches every file below a directory, as raw bytes: database files, write-ahead logs, logs of the parts. */
export function searchFiles(dir: string, values: readonly string[]): Finding[] {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).flatMap((name) => {
    const file = join(dir, name);
    try {
      return statSync(file).isFile() ? searchBytes(file, readFileSync(file), values) : [];
    } catch {
      // A running database removes files while we look.
      return [];
    }
  });
}

/** Searches every column of every table, then makes Postgres write everything to its files. */
export async function searchTables(superuserUrl: string, values: readonly string[]): Promise<Finding[]> {
  return withClient(superuserUrl, async (client) => {
    const findings: Finding[] = [];
    for (const table of await tablesOf(client)) {
      const { rows } = await client.query<{ row: string }>(`SELECT t::text AS row FROM ${table} AS t`);
      findings.push(...rows.flatMap(({ row }) => searchBytes(table, Buffer.from(row), values)));
    }
    await client.query('CHECKPOINT');
    return findings;
  });
}

async function tablesOf(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT quote_ident(table_schema) || '.' || quote_ident(table_name) AS name FROM information_schema.tables
     WHERE table_type = 'BASE TABLE' AND table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1`,
  );
  return rows.map(({ name }) => name);
}
