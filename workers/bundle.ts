import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import type { BundleOptions, WorkflowBundleOption } from '@temporalio/worker';
import { KindlineError } from '../domain/errors';
import { failureConverterPath } from '../temporal/connection';

const ROOT = join(__dirname, '..');
/** Where `npm run build` puts the workflows: beside the compiled rooms, gone with them when they are compiled again. */
export const PREBUILT = join(ROOT, 'workflow-bundle.js');
/** Holds what the bundle was made from. */
export const PREBUILT_ORIGIN = `${PREBUILT}.origin`;

export type WorkflowSource = { readonly workflowBundle: WorkflowBundleOption } | { readonly workflowsPath: string };

/** How the workflow bundle is made, at build time or at start; the failure converter must be in it too. */
export function bundleOptions(): BundleOptions {
  return { workflowsPath: require.resolve('../workflows'), failureConverterPath };
}

/**
 * The prebuilt bundle where there is one; otherwise the worker bundles while it starts, which takes a second.
 *
 * @throws KindlineError when the bundle was made from other code than lies beside it: it would run yesterday's workflows
 */
export function workflowSource(): WorkflowSource {
  if (!existsSync(PREBUILT)) return { workflowsPath: require.resolve('../workflows') };
  const origin = existsSync(PREBUILT_ORIGIN) ? readFileSync(PREBUILT_ORIGIN, 'utf8') : '';
  if (origin !== bundleOrigin())
    throw new KindlineError('stale-workflow-bundle', 'The workflow bundle is not of this build: npm run build');
  return { workflowBundle: { codePath: PREBUILT } };
}

/**
 * Changes with every file that can end up in the bundle, and with the SDK, whose part in it must fit the worker's.
 * @returns hexadecimal digits
 */
export function bundleOrigin(): string {
  const rooms = ['workflows', 'domain'].flatMap((room) =>
    readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' }).map((file) => join(ROOT, room, file)),
  );
  const files = [...rooms.filter((file) => extname(file) === extname(__filename)), failureConverterPath, sdk()];
  const hash = createHash('sha256');
  for (const file of files.toSorted()) hash.update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

function sdk(): string {
  return join(dirname(require.resolve('@temporalio/worker/package.json')), 'package.json');
}
