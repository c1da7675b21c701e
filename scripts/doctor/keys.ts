import { existsSync } from 'node:fs';
import { openKeyRing } from '../../providers/open-key-ring';
import type { KeyContext } from '../../vault/key-ring';
import { examined, fail, type Finding, ok, type Patient, warn } from './finding';

/** Stands in CloudTrail in the clear, as the context of every key does. */
const CONTEXT: KeyContext = { subject: 'doctor', purpose: 'service-key' };

/** Can the key ring make a key and open it again? Nothing of it is kept. */
export async function keyChecks({ config }: Patient): Promise<readonly Finding[]> {
  const { ring, localKeyFile } = config.keys;
  if (ring === 'local' && !existsSync(localKeyFile)) {
    // Opening it would make one, and a key file that nobody expected is the worst kind.
    return [warn('keys', 'There is no key file yet.', 'The first start makes it at LOCAL_KEY_FILE.')];
  }
  const todo =
    ring === 'kms'
      ? 'Does KMS_KEY_ID exist in AWS_REGION, and may our role DescribeKey, GenerateDataKey and Decrypt with it?'
      : 'Is LOCAL_KEY_FILE the file that the first start made?';
  return examined('keys', todo, async () => {
    const keyRing = await openKeyRing(config.keys, { nodeEnv: config.nodeEnv });
    await keyRing.describe();
    const { plaintext, wrapped } = await keyRing.generate(CONTEXT);
    const opened = await keyRing.unwrap(wrapped, CONTEXT);
    const isSame = opened.equals(plaintext);
    plaintext.fill(0);
    opened.fill(0);
    if (!isSame) return fail('keys', 'A key that was wrapped opened as another one.', todo);
    return ok(
      'keys',
      ring === 'kms' ? 'KMS makes a key and opens it again.' : 'The key file makes a key and opens it.',
    );
  });
}
