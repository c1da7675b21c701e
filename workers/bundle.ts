import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { BundleOptions, WorkflowBundleOption } from '@temporalio/worker';
import { failureConverterPath } from '../temporal/connection';

/** Where `npm run build` puts the workflows: beside the compiled rooms. */
const PREBUILT = join(__dirname, '..', 'workflow-bundle.js');

/** How the workflow bundle is made, at build time or at start; the failure converter must be in it too. */
export function bundleOptions(): BundleOptions {
  return { workflowsPath: require.resolve('../workflows'), failureConverterPath };
}

/** The prebuilt bundle where there is one; otherwise the worker bundles while it starts. */
export function workflowSource(): { workflowBundle: WorkflowBundleOption } | { workflowsPath: string } {
  if (existsSync(PREBUILT)) return { workflowBundle: { codePath: PREBUILT } };
  return { workflowsPath: require.resolve('../workflows') };
}
