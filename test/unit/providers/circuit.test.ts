import { createCircuit } from '../../../providers/circuit';

describe('a circuit', () => {
  let now = 0;
  let asked = 0;
  const outage = () => Promise.reject(new Error('down'));
  const refusal = () => Promise.reject(new Error('not allowed'));
  const circuit = () =>
    createCircuit({
      isOutage: (error) => error instanceof Error && error.message === 'down',
      refusal: () => new Error('nobody was asked'),
      outages: 3,
      pauseMs: 1_000,
      now: () => now,
    });
  let under = circuit();
  beforeEach(() => {
    [now, asked, under] = [0, 0, circuit()];
  });
  const run = (work: () => Promise<unknown>) =>
    under.run('Decrypt', () => {
      asked += 1;
      return work();
    });
  const fail = async (times: number) => {
    for (let i = 0; i < times; i += 1) await expect(run(outage)).rejects.toThrow('down');
  };

  it('asks again after fewer outages in a row than make it break', async () => {
    await fail(2);
    await run(() => Promise.resolve());
    await fail(2);
    await expect(run(() => Promise.resolve('there'))).resolves.toBe('there');
  });

  it('asks nobody while the pause lasts', async () => {
    await fail(3);
    now = 999;
    await expect(run(() => Promise.resolve())).rejects.toThrow('nobody was asked');
    expect(asked).toBe(3);
  });

  it('lets one try after the pause, and everybody after its success', async () => {
    await fail(3);
    now = 1_000;
    let answer: (value: string) => void = () => undefined;
    const first = run(() => new Promise((resolve) => (answer = resolve)));
    await expect(run(() => Promise.resolve())).rejects.toThrow('nobody was asked');
    answer('there');
    await expect(first).resolves.toBe('there');
    await expect(run(() => Promise.resolve('there'))).resolves.toBe('there');
  });

  it('pauses anew when the one that tried found it down', async () => {
    await fail(3);
    now = 1_000;
    await fail(1);
    now = 1_999;
    await expect(run(() => Promise.resolve())).rejects.toThrow('nobody was asked');
    now = 2_000;
    await expect(run(() => Promise.resolve('there'))).resolves.toBe('there');
  });

  it('takes an answer that refuses for a sign of life', async () => {
    await fail(2);
    for (let i = 0; i < 5; i += 1) await expect(run(refusal)).rejects.toThrow('not allowed');
    await fail(2);
    await expect(run(() => Promise.resolve('there'))).resolves.toBe('there');
  });
});
