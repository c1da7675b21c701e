import { VARIABLE_NAMES } from '../config/config';
import { openSecrets } from '../providers/secrets';
import { CommandError } from './command-error';
import { loadDotEnv } from './dot-env';
import { localSecrets } from './local-secrets';
import { localDatabaseUrls } from './postgres';
import { realParts } from './real-parts';
import { addressesIfRunning, START_DIR } from './running-stack';
import { serviceEnvironment } from './services';
import { DATABASE } from './stack';

/** What a service of ours is, or would be, configured with. */
export interface ServiceSettings {
  readonly env: NodeJS.ProcessEnv;
  readonly from: 'npm start' | 'the environment';
}

/** Without these no service starts: an environment that has them describes a deployment by itself. */
const NAMES_A_DEPLOYMENT = ['DATABASE_URL', 'TWILIO_ACCOUNT_SID', 'OIDC_ISSUER'];

/**
 * For commands that look at a whole service: the environment (with `.env` and `SECRETS_SOURCE`) where it describes
 * one, else what `npm start` has given to its services.
 *
 * @throws {SecretsError} when SECRETS_SOURCE cannot be read
 * @throws CommandError when there is neither, and when a real part is configured by half
 */
export async function serviceSettings(): Promise<ServiceSettings> {
  loadDotEnv();
  const { env } = await openSecrets(process.env, VARIABLE_NAMES);
  const running = addressesIfRunning();
  if (running === null && !NAMES_A_DEPLOYMENT.some((name) => env[name]?.trim())) {
    throw new CommandError('Nothing is running: begin with npm start in another terminal, or set the environment.');
  }
  if (running === null || NAMES_A_DEPLOYMENT.every((name) => env[name]?.trim()))
    return { env, from: 'the environment' };
  const real = realParts(env);
  const secrets = localSecrets(START_DIR);
  const local = localDatabaseUrls(secrets.databasePassword, running.postgresPort ?? 0, DATABASE);
  const database = real.parts.database ?? local;
  return {
    from: 'npm start',
    env: {
      // The API is not given it; a command that proves the audit trail has to have it.
      DATABASE_WORKER_URL: database.workerUrl,
      ...serviceEnvironment({
        stateDir: START_DIR,
        secrets,
        database,
        temporal: running.temporal,
        temporalUiUrl: running.temporalUi,
        ports: { api: portOf(running.api), simulator: portOf(running.simulator), smtp: running.smtpPort, codec: null },
        env: real.env,
      }),
    },
  };
}

function portOf(address: string): number {
  return Number(new URL(address).port);
}
