import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadEnvFile } from 'node:process';
import { PROJECT_ROOT } from './project';

/** Adds what `.env` in the project sets and the environment does not. */
export function loadDotEnv(): void {
  const file = join(PROJECT_ROOT, '.env');
  if (existsSync(file)) loadEnvFile(file);
}
