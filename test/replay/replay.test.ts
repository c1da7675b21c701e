import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils';
import {
  bundleWorkflowCode,
  DefaultLogger,
  Runtime,
  Worker,
  type WorkflowBundleWithSourceMap,
} from '@temporalio/worker';
import * as workflows from '../../workflows';

const FOLDER = join(__dirname, '..', 'histories');
/** More than this inside the workflow's isolate has stalled workers elsewhere: packages do not belong there. */
const LARGEST_BUNDLE = 2.5 * 1024 * 1024;

let bundle: WorkflowBundleWithSourceMap;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  bundle = await bundleWorkflowCode({ workflowsPath: require.resolve('../../workflows') });
});

const recorded = readdirSync(FOLDER).flatMap((type) => readdirSync(join(FOLDER, type)).map((file) => ({ type, file })));

it.each(recorded)('$type still takes the course recorded in $file', async ({ type, file }) => {
  const history = historyFromJSON(JSON.parse(readFileSync(join(FOLDER, type, file), 'utf8')));
  await expect(Worker.runReplayHistory({ workflowBundle: bundle }, history)).resolves.toBeUndefined();
});

it('every workflow type has recorded histories', () => {
  expect([...new Set(recorded.map(({ type }) => type))].sort()).toEqual(Object.keys(workflows).sort());
});

it('the workflow bundle stays small', () => {
  expect(Buffer.byteLength(bundle.code)).toBeLessThan(LARGEST_BUNDLE);
});
