import { watchTwilio } from '../../../api/twilio-watch';
import { createLogger } from '../../../vault/logger';

const logger = createLogger({ name: 'api', level: 'silent' });

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('Twilio is down after two lost answers, and up again with the first that comes', async () => {
  let isThere = true;
  const probe = async () => {
    if (!isThere) throw new Error('no answer');
  };
  const watch = watchTwilio({ probe }, logger);
  expect(watch.state()).toBe('unknown');
  await jest.advanceTimersByTimeAsync(0);
  expect(watch.state()).toBe('up');
  isThere = false;
  await jest.advanceTimersByTimeAsync(60_000);
  expect(watch.state()).not.toBe('down');
  await jest.advanceTimersByTimeAsync(1_000);
  expect(watch.state()).toBe('down');
  isThere = true;
  await jest.advanceTimersByTimeAsync(10_000);
  expect(watch.state()).toBe('up');
  watch.stop();
});

test('a watch that was stopped asks no more', async () => {
  const probe = jest.fn(async () => undefined);
  const watch = watchTwilio({ probe }, logger);
  watch.stop();
  await jest.advanceTimersByTimeAsync(120_000);
  expect(probe).toHaveBeenCalledTimes(1);
  expect(jest.getTimerCount()).toBe(0);
});
