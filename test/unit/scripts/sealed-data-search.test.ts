import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { searchBytes, searchFiles } from '../../../scripts/sealed-data-search';

const PHONE = '+14155550142';

describe('the search for what must be sealed', () => {
  it.each([
    ['E.164', `to ${PHONE}!`],
    ['national', 'call (415) 555-0142 now'],
    ['spaced', '+1 415 555 0142'],
    ['dashed', '415-555-0142'],
    ['URL-encoded', 'To=%2B14155550142&From='],
    ['hexadecimal', Buffer.from(`x${PHONE}y`).toString('hex')],
    ['capital hexadecimal', Buffer.from(PHONE).toString('hex').toUpperCase()],
    ['base64', Buffer.from(PHONE).toString('base64')],
    ['base64, one byte in', Buffer.from(`a${PHONE}tail`).toString('base64')],
    ['base64, two bytes in', Buffer.from(`ab${PHONE}tail`).toString('base64')],
  ])('finds a number that is written as %s', (_spelling, text) => {
    expect(searchBytes('a log', Buffer.from(text), [PHONE])).not.toEqual([]);
  });

  it('does not find another number', () => {
    expect(searchBytes('a log', Buffer.from('+14155550143 (415) 555-0143'), [PHONE])).toEqual([]);
  });

  it('looks into every file below a directory, and names the place but not the number', () => {
    const dir = mkdtempSync(join(tmpdir(), 'kindline-search-'));
    try {
      writeFileSync(join(dir, 'a.log'), Buffer.concat([Buffer.from([0, 255]), Buffer.from(PHONE)]));
      writeFileSync(join(dir, 'b.log'), 'nothing');
      const findings = searchFiles(dir, [PHONE]);
      expect(findings.map(({ place }) => place)).toContain(join(dir, 'a.log'));
      expect(JSON.stringify(findings)).not.toContain('4155550142');
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
