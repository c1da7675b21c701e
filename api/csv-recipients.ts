import { createHash } from 'node:crypto';
import { pipeline, type Readable } from 'node:stream';
import { CsvError, parse } from 'csv-parse';
import { BATCH_BODY, CSV_LINE } from './limits';
import { Problem } from './problems';
import type { GivenRecipient } from './message-batches-shapes';

/** What one row of an upload gives; null when it cannot be read. */
export type ReadRecipient = GivenRecipient | null;

/** Columns that are not variables of the template. */
const OURS: Readonly<Record<string, 'phone' | 'subjectId' | 'email' | 'language' | 'zone'>> = {
  phone: 'phone',
  subject_id: 'subjectId',
  email: 'email',
  language: 'language',
  zone: 'zone',
};

export interface CsvUpload {
  /** Row by row, never more than a few in memory. @throws {Problem} `body-too-large`, `csv-unreadable` */
  readonly recipients: AsyncIterable<ReadRecipient>;
  /** SHA-256 of the bytes, hex; to be asked after the last row. */
  readonly digest: () => string;
}

/**
 * Reads recipients from a CSV (RFC 4180, UTF-8, a first line with names) as it arrives. The file is never stored, neither
 * on disk nor in memory; what is too large is refused by what has arrived, whatever its headers say.
 */
export function csvRecipients(body: Readable): CsvUpload {
  const hash = createHash('sha256');
  async function* limited(): AsyncGenerator<Buffer> {
    let bytes = 0;
    // Not destroyed with the iteration: whoever sends too much is to read why.
    for await (const chunk of body.iterator({ destroyOnReturn: false })) {
      const part: Buffer = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
      bytes += part.length;
      if (bytes > BATCH_BODY) throw new Problem('body-too-large');
      hash.update(part);
      yield part;
    }
  }
  async function* recipients(): AsyncGenerator<ReadRecipient> {
    const parser = parse({
      bom: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
      max_record_size: CSV_LINE,
    });
    // What goes wrong before the parser comes out of it as well.
    pipeline(limited(), parser, () => undefined);
    let names: readonly string[] | null = null;
    try {
      for await (const record of parser) {
        const cells: readonly string[] = record;
        if (names === null) names = header(cells);
        else yield recipientOf(names, cells);
      }
    } catch (error) {
      throw error instanceof CsvError ? new Problem('csv-unreadable') : error;
    }
    if (names === null) throw new Problem('csv-unreadable');
  }
  return { recipients: recipients(), digest: () => hash.digest('hex') };
}

function header(cells: readonly string[]): readonly string[] {
  const isWhole = new Set(cells).size === cells.length && cells.every((name) => name !== '');
  if (!isWhole || !cells.some((name) => Object.hasOwn(OURS, name))) throw new Problem('csv-unreadable');
  return cells;
}

/** An empty cell says nothing; a row with more or fewer cells than names has lost its place. */
function recipientOf(names: readonly string[], cells: readonly string[]): ReadRecipient {
  if (cells.length !== names.length) return null;
  const given: Record<string, string> = {};
  const variables: Record<string, string> = {};
  for (const [place, name] of names.entries()) {
    const value = cells[place] ?? '';
    const ours = Object.hasOwn(OURS, name) ? OURS[name] : undefined;
    if (value !== '' && ours !== undefined) given[ours] = value;
    else if (value !== '') variables[name] = value;
  }
  return { ...given, ...(Object.keys(variables).length === 0 ? {} : { variables }) };
}
