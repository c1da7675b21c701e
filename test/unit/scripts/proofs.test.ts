import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ServiceOptions, Services } from '../../../scripts/services';

const ROOT = join(__dirname, '..', '..', '..');
const rows = readFileSync(join(ROOT, 'PROOFS.md'), 'utf8')
  .split('\n')
  .filter((line) => /^\| .*\| `/.test(line))
  .map((line) => line.split('|').map((cell) => cell.trim()))
  .map(([, promise = '', file = '', title = '']) => ({ promise, file: file.replaceAll('`', ''), title }));

it('there are promises', () => {
  expect(rows.length).toBeGreaterThan(30);
});

it.each(rows)('the promise "$promise" has its test', ({ file, title }) => {
  const path = join(ROOT, 'test', file);
  expect(existsSync(path)).toBe(true);
  expect(title).not.toBe('');
  expect(readFileSync(path, 'utf8')).toContain(title);
});

it('the services of the demo get nothing from the environment but what a process needs', () => {
  const somebodys = {
    TWILIO_ACCOUNT_SID: `AC${'9'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: 'a-real-token',
    DATABASE_URL: 'postgres://a-real-server/',
    TEMPORAL_ADDRESS: 'a-real-server:7233',
  };
  const before = { ...process.env };
  const folder = mkdtempSync(join(tmpdir(), 'kindline-proofs-'));
  Object.assign(process.env, somebodys);
  try {
    const options: ServiceOptions = {
      stateDir: folder,
      logDir: folder,
      secrets: { twilioAccountSid: `AC${'1'.repeat(32)}`, twilioAuthToken: 'made-up', databasePassword: 'made-up' },
      database: {
        appUrl: 'postgres://127.0.0.1/ours',
        workerUrl: 'postgres://127.0.0.1/ours',
        ownerUrl: 'postgres://127.0.0.1/ours',
      },
      temporal: { address: '127.0.0.1:1', namespace: 'ours' },
      ports: { api: 1, simulator: 2 },
    };
    const given = JSON.stringify(new Services(options).environment);
    for (const value of Object.values(somebodys)) expect(given).not.toContain(value);
  } finally {
    process.env = before;
    rmSync(folder, { recursive: true });
  }
});
