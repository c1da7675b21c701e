import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';

/**
 * Keeps a run for the replay test when `KINDLINE_RECORD_HISTORIES` is set. Do so when a workflow takes a new
 * course; the old files stay, because runs of that age may still be open somewhere.
 */
export async function recordHistory(handle: WorkflowHandle, type: string, name: string): Promise<void> {
  if (!process.env['KINDLINE_RECORD_HISTORIES']) return;
  const folder = join(__dirname, '..', 'histories', type);
  await mkdir(folder, { recursive: true });
  const json = historyToJSON(await handle.fetchHistory());
  // Who recorded it, and where, is nobody's business.
  const anonymous = json.replace(/"(identity|stackTrace)": "(?:[^"\\]|\\.)*"/g, '"$1": ""');
  await writeFile(join(folder, `${name}.json`), `${anonymous}\n`);
}
