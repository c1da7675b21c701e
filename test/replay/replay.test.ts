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

const recorded = readdirSync(FOLDER).flatMap((type) =>
  readdirSync(join(FOLDER, type)).map((file) => ({ type, file, name: `${type}/${file}` })),
);

let bundle: WorkflowBundleWithSourceMap;
/** What came of each, by its name: one worker replays them all, for to make a worker takes longer than a replay. */
const replayed = new Map<string, unknown>();
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  bundle = await bundleWorkflowCode({ workflowsPath: require.resolve('../../workflows') });
  const histories = recorded.map(({ name }) => ({
    workflowId: name,
    history: historyFromJSON(JSON.parse(readFileSync(join(FOLDER, name), 'utf8'))),
  }));
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowBundle: bundle }, histories)) {
    replayed.set(workflowId, error ?? 'the same course');
  }
}, 600_000);

it.each(recorded)('$type still takes the course recorded in $file', ({ name }) => {
  expect(replayed.get(name)).toBe('the same course');
});

it('every workflow type has recorded histories', () => {
  expect([...new Set(recorded.map(({ type }) => type))].sort()).toEqual(Object.keys(workflows).sort());
});

it('the workflow bundle stays small', () => {
  expect(Buffer.byteLength(bundle.code)).toBeLessThan(LARGEST_BUNDLE);
});
