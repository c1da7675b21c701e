import { probePart } from '../../../api/part-probe';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('a part that hangs is down after a second, and is not asked again while it hangs', async () => {
  let answer: (isWell: boolean) => void = () => undefined;
  const ask = jest.fn(
    () =>
      new Promise<boolean>((resolve) => {
        answer = resolve;
      }),
  );
  const probe = probePart(ask);
  const first = probe.report();
  await jest.advanceTimersByTimeAsync(1_000);
  expect((await first).state).toBe('down');
  await jest.advanceTimersByTimeAsync(5_000);
  expect((await probe.report()).state).toBe('down');
  expect(ask).toHaveBeenCalledTimes(1);
  answer(true);
  await jest.advanceTimersByTimeAsync(1_000);
  const later = probe.report();
  answer(true);
  expect((await later).state).toBe('up');
  expect(ask).toHaveBeenCalledTimes(2);
});

test('an answer is good for a second, for everybody', async () => {
  const ask = jest.fn(async () => true);
  const probe = probePart(ask);
  await Promise.all([probe.report(), probe.report(), probe.report()]);
  await probe.report();
  expect(ask).toHaveBeenCalledTimes(1);
  await jest.advanceTimersByTimeAsync(1_000);
  const { checkedAt } = await probe.report();
  expect(ask).toHaveBeenCalledTimes(2);
  expect(checkedAt).toEqual(new Date());
});
