import { scan } from './scan';

/**
 * Runs by itself after all other suites, over everything they have left: Postgres's data directory and WAL, every
 * table, Temporal's database, histories decoded with the codec, logs, metrics, callback URLs.
 */
const STATE_DIR = process.env['KINDLINE_TEST_STATE_DIR'] ?? '';

/** The simulator plays the phones and the provider: it has to know their numbers. Nothing else does. */
function isSimulators(path: string): boolean {
  return /\/simulator[^/]*\.(log|json)$/.test(path) || path.includes('/simulator/');
}

it('there is something to search', () => {
  expect(STATE_DIR).not.toBe('');
});

it('no personal data is found in anything the service leaves behind', async () => {
  const { files, bytes, findings } = await scan([STATE_DIR], isSimulators);
  console.log(`searched ${files} files, ${Math.round(bytes / 1e6)} MB, in seven spellings`);
  // An empty folder proves nothing.
  expect(files).toBeGreaterThan(20);
  expect(findings).toEqual([]);
}, 300_000);
