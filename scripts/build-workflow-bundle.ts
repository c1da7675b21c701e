import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundleWorkflowCode } from '@temporalio/worker';
import { bundleOptions } from '../workers/bundle';

/** Packages that slip into the bundle have killed workers: each cached run keeps a copy of their top level. */
const LARGEST_BUNDLE = 2.5 * 1024 * 1024;

/** Writes `dist/workflow-bundle.js`, which workers take instead of bundling while they start. Run from `dist/`. */
async function main(): Promise<void> {
  const { code } = await bundleWorkflowCode(bundleOptions());
  if (code.length > LARGEST_BUNDLE) throw new Error(`the workflow bundle has ${code.length} bytes`);
  const path = join(__dirname, '..', 'workflow-bundle.js');
  await writeFile(path, code);
  console.error(`${path}: ${Math.round(code.length / 1024)} kB`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
