import { spawnSync } from 'node:child_process';
import { commandLine } from '../../../scripts/leftovers';

test('a process has its command line, and one that is gone has none', () => {
  expect(commandLine(process.pid)).toContain('jest');
  const { pid } = spawnSync(process.execPath, ['--version']);
  expect(commandLine(pid)).toBe('');
});
