import { KeyRingError } from '../../../domain/errors';
import { patiently } from '../../../vault/patience';
import { createServiceKeys } from '../../../vault/service-keys';

const keys = createServiceKeys([]);

describe('a process that needs its keys', () => {
  let tries = 0;
  let warnings: object[] = [];
  const logger = { warn: (fields: object) => void warnings.push(fields) };
  const load = (errors: readonly Error[]) => {
    [tries, warnings] = [0, []];
    return patiently(
      logger,
      () => {
        const error = errors[tries];
        tries += 1;
        return error === undefined ? Promise.resolve(keys) : Promise.reject(error);
      },
      0,
    );
  };
  const down = new KeyRingError('key-ring-unavailable', 'KMS does not answer');
  const refused = new KeyRingError('key-ring-refused', 'KMS refused');

  it('waits for a database and a KMS that are not there yet, and says so each time', async () => {
    expect(await load([new Error('ECONNREFUSED'), down, refused])).toBe(keys);
    expect(warnings).toEqual([expect.objectContaining({ attempt: 1 }), { attempt: 2, error: down }, expect.anything()]);
  });

  it('gives up after thirty tries', async () => {
    await expect(load(Array.from({ length: 100 }, () => down))).rejects.toBe(down);
    expect(tries).toBe(30);
  });

  it.each(['not-our-key', 'key-not-authentic'])('does not wait where waiting helps nobody: %s', async (code) => {
    await expect(load([new KeyRingError(code, 'A wrapped key is not ours')])).rejects.toMatchObject({ code });
    expect(tries).toBe(1);
  });
});
