import { type Config, loadConfig } from '../../config/config';
import { ConfigError } from '../../config/config-error';
import { fail, type Finding, ok } from './finding';
import { fallbackCheck, helplinesCheck } from './helplines';
import { keyChecks } from './keys';
import { numberChecks } from './numbers';
import { postgresChecks } from './postgres';
import { publicAddressCheck } from './public-address';
import { temporalChecks } from './temporal';
import { clockCheck, signInCheck } from './web';

export interface ExaminationOptions {
  /** What a process of ours would be configured with. */
  readonly env: NodeJS.ProcessEnv;
  /** Whether what differs at Twilio is set. */
  readonly apply: boolean;
  /** Told each finding as soon as it is there. */
  readonly onFinding?: (finding: Finding) => void;
}

/** Looks at everything a call needs, one after the other. Changes nothing but what `apply` allows. Never throws. */
export async function examine({ env, apply, onFinding = () => undefined }: ExaminationOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  const note = (found: readonly Finding[]) => {
    findings.push(...found);
    for (const finding of found) onFinding(finding);
    return found;
  };
  const config = readable(env);
  if (Array.isArray(config)) {
    note(config);
    return findings;
  }
  const patient = { config, apply };
  note([ok('configuration', 'Every variable is as it should be.')]);
  note(await postgresChecks(patient));
  note(await temporalChecks(patient));
  note(await keyChecks(patient));
  note(await clockCheck(patient));
  note(await signInCheck(patient));
  const reached = note(await publicAddressCheck(patient));
  note(
    await numberChecks(
      patient,
      reached.every(({ state }) => state === 'ok'),
    ),
  );
  note(await fallbackCheck(patient));
  note(helplinesCheck());
  return findings;
}

function readable(env: NodeJS.ProcessEnv): Config | Finding[] {
  try {
    return loadConfig(env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ variable, expected }) =>
      fail('configuration', `${variable}: expected ${expected}.`, 'See .env.example.'),
    );
  }
}
