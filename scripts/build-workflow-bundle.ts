import { writeFile } from 'node:fs/promises';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { bundleOptions, bundleOrigin, PREBUILT, PREBUILT_ORIGIN } from '../workers/bundle';

/** Packages that slip into the bundle have killed workers: each cached run keeps a copy of their top level. */
const LARGEST_BUNDLE = 2.5 * 1024 * 1024;

/** Writes `dist/workflow-bundle.js`, which workers take instead of bundling while they start. Run from `dist/`. */
async function main(): Promise<void> {
  // First, so that a file that changes meanwhile makes the bundle one of another build.
  const origin = bundleOrigin();
  const { code } = await bundleWorkflowCode({ ...bundleOptions(), logger: new DefaultLogger('WARN') });
  if (code.length > LARGEST_BUNDLE) throw new Error(`the workflow bundle has ${code.length} bytes`);
  await writeFile(PREBUILT, code);
  await writeFile(PREBUILT_ORIGIN, origin);
  console.error(`${PREBUILT}: ${Math.round(code.length / 1024)} kB`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
