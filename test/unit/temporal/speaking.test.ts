import { ServiceError } from '@temporalio/client';
import type { KindlineClient } from '../../../temporal/connection';
import { TemporalNotInTime } from '../../../temporal/errors';
import { spoken } from '../../../temporal/speaking';

const client = {
  withDeadline: <T>(_deadline: number, run: () => Promise<T>) => run(),
} as unknown as KindlineClient;

/** As the server says it of a question whose workflow task has failed. */
function dropped(
  code = 9,
  details = 'Unable to perform workflow execution update due to unexpected workflow task failure.',
) {
  const cause = Object.assign(new Error(details), { code, details, metadata: {} });
  return new ServiceError('Workflow Update failed', { cause });
}

test('a question that went with a failed task is asked again', async () => {
  const answers = [() => Promise.reject(dropped()), () => Promise.reject(dropped()), () => Promise.resolve('noted')];
  await expect(spoken(client, 5_000, async () => answers.shift()?.())).resolves.toBe('noted');
  expect(answers).toEqual([]);
});

test('one that is dropped until nobody waits any more was not answered in time', async () => {
  await expect(spoken(client, 120, () => Promise.reject(dropped()))).rejects.toBeInstanceOf(TemporalNotInTime);
});

test('what Temporal says otherwise is not asked again', async () => {
  const run = jest.fn(() => Promise.reject(dropped(13, 'something else')));
  await expect(spoken(client, 5_000, run)).rejects.toBeInstanceOf(ServiceError);
  expect(run).toHaveBeenCalledTimes(1);
});
