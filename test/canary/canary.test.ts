import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { postgresDirs } from '../../scripts/postgres-home';
import { STACKS } from '../../scripts/run-dirs';
import { beyondTheList, type SaidByEntries } from '../audit-entries';
import { scan } from './scan';
import { sensitiveNeedles } from './spellings';

/**
 * Runs by itself after all other suites, over everything they have left: Postgres's data directory and WAL, every
 * table, Temporal's database, histories decoded with the codec, logs, metrics, callback URLs.
 */
const STATE_DIR = process.env['KINDLINE_TEST_STATE_DIR'] ?? '';

/** The run's own directory, and Postgres's where those of this run or of a stack in it lie elsewhere. */
function everything(): string[] {
  const stacks = join(STATE_DIR, STACKS);
  const dirs = [STATE_DIR, ...(existsSync(stacks) ? readdirSync(stacks).map((stack) => join(stacks, stack)) : [])];
  const elsewhere = dirs.flatMap(postgresDirs).filter((dir) => !dir.startsWith(STATE_DIR) && existsSync(dir));
  return [STATE_DIR, ...elsewhere];
}

/** The simulator plays the phones and the provider: it has to know their numbers. Nothing else does. */
function isSimulators(path: string): boolean {
  return /\/simulator[^/]*\.(log|json)$/.test(path) || path.includes('/simulator/');
}

function readFileNames(): string[] {
  return readdirSync(STATE_DIR, { recursive: true, encoding: 'utf8' }).map((path) => path.split('/').at(-1) ?? '');
}

/** What the test runner has written about the tests themselves. */
function isTestReport(path: string): boolean {
  return /\/(?:jest|canary)\.json$/.test(path);
}

/** Where scores, reasons and answers may stand: Postgres's own files, its tables as they were read, decoded payloads. */
function mayBeSensitive(path: string): boolean {
  const isPostgres = everything()
    .flatMap(postgresDirs)
    .some((dir) => path.startsWith(dir));
  const isInStack = /\/postgres\/|kindline-postgres-/.test(path);
  return isPostgres || isInStack || /\/evidence\/(?:table-[^/]+|histories)\.json$/.test(path);
}

function filesNamed(name: string): string[] {
  return readdirSync(STATE_DIR, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.split('/').at(-1) === name)
    .map((path) => readFileSync(join(STATE_DIR, path), 'utf8'));
}

it('there is something to search', () => {
  expect(STATE_DIR).not.toBe('');
});

it('no personal data is found in anything the service leaves behind', async () => {
  const tokens = new Set(filesNamed('link-tokens.json').flatMap((text) => JSON.parse(text) as string[]));
  const skipped = (path: string) => isSimulators(path) || isTestReport(path);
  const { files, bytes, findings } = await scan(everything(), skipped, { tokens });
  console.log(`searched ${files} files, ${Math.round(bytes / 1e6)} MB, in seven spellings`);
  // An empty folder proves nothing, and neither does one without what was asked for.
  const names = readFileNames();
  expect(names).toEqual(expect.arrayContaining(['histories.json', 'table-call_logs.json', 'metrics.txt', 'api.log']));
  expect(files).toBeGreaterThan(20);
  expect(tokens.size).toBeGreaterThan(0);
  expect(findings).toEqual([]);
}, 300_000);

it('scores, reasons and answers are found in tables and payloads alone', async () => {
  const patterns = sensitiveNeedles();
  const skipped = (path: string) => isSimulators(path) || isTestReport(path) || mayBeSensitive(path);
  const { findings } = await scan(everything(), skipped, { patterns });
  expect(readFileNames()).toEqual(expect.arrayContaining(['visible-to-operators.json', 'worker.log']));
  expect(findings).toEqual([]);
}, 120_000);

/** Of each table, rows that a whole stack has left. */
const OF_CALLS = ['call_logs', 'mentors', 'mentor_slots', 'mentor_offers', 'call_recordings', 'call_feedback'];
const OF_MESSAGES_AND_ALERTS = [
  'messages',
  'message_batch_rows',
  'inbound_texts',
  'opt_outs',
  'voice_alerts',
  'voice_alert_recipients',
];
const OF_ALL_JOBS = ['dispatches', 'webhook_events', 'app_events'];
const OF_BUDDIES = [
  'user_profiles',
  'buddy_contacts',
  'buddy_invitations',
  'buddy_verification_audit',
  'buddy_check_in_requests',
  'registered_contacts',
  'wellbeing_scores',
  'wellbeing_alerts',
];

it.each([...OF_CALLS, ...OF_MESSAGES_AND_ALERTS, ...OF_ALL_JOBS, ...OF_BUDDIES])(
  '%s of a whole stack are among what is searched',
  (table) => {
    expect(filesNamed(`table-${table}.json`).some((rows) => rows !== '')).toBe(true);
  },
);

it('every audit entry of every stack is of an action on the list, and says only what that action may say', () => {
  const files = readdirSync(STATE_DIR, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('/audit-entries.json'),
  );
  expect(files.length).toBeGreaterThan(0);
  const said = files.flatMap((file) => JSON.parse(readFileSync(join(STATE_DIR, file), 'utf8')) as SaidByEntries[]);
  expect(said.map(({ action }) => action)).toContain('mentor-call.requested');
  expect(beyondTheList(said)).toEqual([]);
});

it('checkpoints are among what is searched', () => {
  expect(readFileNames()).toEqual(expect.arrayContaining(['checkpoints', '000000000001.json']));
});
