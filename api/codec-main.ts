import { type CodecConfig, loadCodecConfig } from '../config/codec';
import { VARIABLE_NAMES } from '../config/config';
import { createPool } from '../db/pool';
import { ensureServiceKeys } from '../db/service-keys';
import { openKeyRing } from '../providers/open-key-ring';
import { openSecrets, type SecretsSource } from '../providers/secrets';
import { createPayloadCodec } from '../temporal/payload-codec';
import { createLogger, type Logger } from '../vault/logger';
import { patiently } from '../vault/patience';
import type { ServiceKeys } from '../vault/service-keys';
import { warnOfStandIns } from '../vault/stand-ins';
import { endOnStrayErrors } from '../vault/stray-errors';
import { createTokenizer } from '../vault/tokens';
import { subjectOfAccounts } from './accounts';
import { type Authenticate, createAuthentication } from './authentication';
import { createCodecServer } from './codec-server';
import { drained, listen, portOf, signalled } from './serving';
import { signingKeysOf } from './signing-keys';
import type { Pool } from 'pg';

/** Composition root: `node dist/api/codec-main.js`, configured by the environment (`.env.example`). */
async function run(config: CodecConfig, secrets: SecretsSource, logger: Logger): Promise<void> {
  const pool = createPool(config.database, logger);
  const keyRing = await openKeyRing(config.keys, config);
  // No other key of the organisation's is in this process.
  const keys = await patiently(logger, () => ensureServiceKeys(pool, keyRing, ['payload-codec', 'token']));
  const codec = createPayloadCodec(keys.all('payload-codec'));
  const authenticate = authenticationOf(config, pool, keys);
  const server = await listen(createCodecServer({ config, logger, pool, codec, authenticate }), config);
  const facts = { port: portOf(server), namespace: config.namespace, keyRing: config.keys.ring, secrets } as const;
  logger.info({ ...facts, standIns: config.allowStandIns }, 'codec ready');

  await signalled('SIGTERM', 'SIGINT');
  await drained(server);
  await pool.end().catch(() => undefined);
  logger.info({}, 'codec stopped');
}

function authenticationOf({ signIn }: CodecConfig, pool: Pool, keys: ServiceKeys): Authenticate | null {
  if (signIn === null) return null;
  const { issuer, audience, rolesClaim } = signIn;
  const subjectOf = subjectOfAccounts(pool, createTokenizer(keys.all('token')));
  return createAuthentication({ issuer, audience, rolesClaim, keys: signingKeysOf(issuer), subjectOf });
}

async function main(): Promise<void> {
  const secrets = await openSecrets(process.env, VARIABLE_NAMES);
  const config = loadCodecConfig(secrets.env);
  const logger = createLogger({ name: 'codec', level: config.logLevel });
  endOnStrayErrors(logger);
  warnOfStandIns(logger, config.allowStandIns);
  try {
    await run(config, secrets.source, logger);
  } catch (error) {
    logger.fatal({ error }, 'codec failed');
    process.exitCode = 1;
  }
  // Whatever still holds the process open has had its time.
  setTimeout(() => process.exit(), 1_000).unref();
}

main().catch((error: unknown) => {
  // Only a wrong configuration comes here; its text names variables, never values.
  process.stderr.write(`${error instanceof Error ? error.message : 'failed'}\n`);
  process.exitCode = 1;
});
