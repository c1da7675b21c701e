import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { built, PROJECT_ROOT } from '../../../scripts/project';

const run = promisify(execFile);

/** A few of each only: whether it is fast is nothing a test on a busy machine can say. */
function bench(...options: string[]) {
  return run(process.execPath, [built('scripts/bench.js'), '--quick', ...options], { cwd: PROJECT_ROOT });
}

test('the bench measures every row, and prints one JSON object and nothing else', async () => {
  const { stdout } = await bench('--json');
  const { rows } = JSON.parse(stdout);
  expect(rows.length).toBeGreaterThanOrEqual(10);
  for (const row of rows) {
    expect(row).toEqual({
      name: expect.any(String),
      unit: expect.any(String),
      ours: expect.any(Number),
      baseline: row.baseline === null ? null : expect.any(Number),
      ratio: row.baseline === null ? null : expect.any(Number),
      target: row.target === null ? null : expect.any(String),
      ok: expect.any(Boolean),
    });
  }
  const named = (part: string) => rows.filter(({ name }: { name: string }) => name.includes(part));
  const parts = ['POST /connect-mentor', 'POST /call-status', 'seal', 'reveal', 'audit entries', 'TwiML'];
  const ofBuddies = ['score events', 'waiting buddy'];
  for (const part of [...parts, ...ofBuddies, 'first ring, 10 at once', 'next ring', 'helpline connected']) {
    expect(named(part)).not.toEqual([]);
  }
  // What is counted, not timed, holds on every machine.
  for (const row of named('happy mentor call')) expect(row).toMatchObject({ ok: true });
});

test('one group can be measured by itself, as a table', async () => {
  const { stdout } = await bench('--only', 'vault');
  expect(stdout).toMatch(/seal a phone number/);
  expect(stdout).not.toMatch(/connect-mentor/);
});

test('what it does not know is refused with a sentence', async () => {
  await expect(bench('--only', 'nothing-like-it')).rejects.toMatchObject({ stderr: expect.stringMatching(/expected/) });
  await expect(bench('--rounds', '0')).rejects.toMatchObject({ stderr: '--rounds: expected 1 to 999\n' });
});
