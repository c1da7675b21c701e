import { randomBytes } from 'node:crypto';
import { createCallLog } from '../../../vault/call-log';
import { createLogger } from '../../../vault/logger';

const TOKEN = randomBytes(32);
const OTHER = randomBytes(32);
const KEYS = [{ version: 1, key: Buffer.alloc(32, 7) }];

function logged(keys = KEYS) {
  const lines: Record<string, unknown>[] = [];
  let now = new Date('2026-11-21T23:59:59.999Z');
  const logger = createLogger({
    name: 'worker',
    level: 'info',
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  const log = createCallLog(logger, keys, () => now);
  return {
    lines,
    logger,
    at: (time: string) => {
      now = new Date(time);
    },
    note: (recipientToken: Buffer | null, country: string | null = 'US') => {
      log.note({
        callId: '3f0c6a52-8a34-4b8e-9a53-0d8f5a3c1b2e',
        status: 'ringing',
        recipientToken,
        country,
        retryCount: 2,
      });
      return lines.at(-1)?.recipient_token;
    },
  };
}

test('a line of a call has exactly its five fields, beside those of every line', () => {
  const { note, lines } = logged();
  note(TOKEN);
  note(null, null);
  for (const line of lines) {
    expect(Object.keys(line).toSorted()).toEqual(
      ['call_id', 'country', 'level', 'msg', 'name', 'recipient_token', 'retry_count', 'status', 'time'].toSorted(),
    );
  }
  expect(lines[0]).toMatchObject({ status: 'ringing', country: 'US', retry_count: 2, msg: 'call' });
  expect(lines[1]).toMatchObject({ recipient_token: 'none', country: 'none' });
});

test('the token of a recipient is the same all day and another one after midnight UTC', () => {
  const { note, at } = logged();
  const evening = note(TOKEN);
  at('2026-11-21T00:00:00.000Z');
  expect(note(TOKEN)).toBe(evening);
  expect(note(OTHER)).not.toBe(evening);
  at('2026-11-22T00:00:00.000Z');
  const morning = note(TOKEN);
  expect(morning).not.toBe(evening);
  at('2026-11-21T23:59:59.999Z');
  expect(note(TOKEN)).toBe(evening);
});

test('the token is not the one of the database, needs the key, and looks like no number', () => {
  const { note, logger } = logged();
  const tokens = Array.from({ length: 2_000 }, () => {
    const stored = randomBytes(32);
    const token = String(note(stored));
    expect(token).toMatch(/^[a-p]{32}$/);
    expect(stored.toString('hex')).not.toContain(token);
    return token;
  });
  expect(new Set(tokens).size).toBe(2_000);
  expect(logger.scrubbedLines()).toBe(0);
  const elsewhere = logged([{ version: 1, key: Buffer.alloc(32, 8) }]);
  expect(elsewhere.note(TOKEN)).not.toBe(note(TOKEN));
});
