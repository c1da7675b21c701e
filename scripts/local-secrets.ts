import { createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

const secretsFile = z.object({
  databasePassword: z.string(),
  twilioAccountSid: z.string(),
  twilioAuthToken: z.string(),
});

/** What the local parts know each other by. Made once for a state directory, never printed. */
export type LocalSecrets = z.infer<typeof secretsFile>;

export function localSecrets(stateDir: string): LocalSecrets {
  const file = join(stateDir, 'secrets.json');
  if (existsSync(file)) return secretsFile.parse(JSON.parse(readFileSync(file, 'utf8')));
  const secrets: LocalSecrets = {
    databasePassword: randomBytes(16).toString('hex'),
    twilioAccountSid: `AC${randomBytes(16).toString('hex')}`,
    twilioAuthToken: randomBytes(16).toString('hex'),
  };
  writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
  return secrets;
}

/** The account's API key and TwiML app at the simulator: made from its auth token, so that there is nothing more to keep. */
export function localVoiceApp({ twilioAuthToken }: LocalSecrets) {
  const made = (what: string) => createHmac('sha256', twilioAuthToken).update(what).digest('hex').slice(0, 32);
  return { apiKey: `SK${made('key')}`, apiSecret: made('secret'), twimlAppSid: `AP${made('app')}` };
}
