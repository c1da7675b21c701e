import { type Config, loadConfig } from '../../config/config';
import { ConfigError } from '../../config/config-error';
import { appCallChecks } from './app-calls';
import { escalationCheck } from './escalation';
import { fail, type Finding, ok, type Patient } from './finding';
import { fallbackCheck, helplinesCheck } from './helplines';
import { keyChecks } from './keys';
import { numberChecks } from './numbers';
import { postgresChecks } from './postgres';
import { publicAddressCheck } from './public-address';
import { priorityCheck, temporalChecks } from './temporal';
import { recordingChecks } from './recordings';
import { clockCheck, signInCheck } from './web';

/** The parts of an examination, in the order in which they are looked at. */
const PARTS = {
  postgres: postgresChecks,
  temporal: temporalChecks,
  priority: priorityCheck,
  keys: keyChecks,
  clock: clockCheck,
  'sign-in': signInCheck,
  numbers: async (patient: Patient) => {
    const reached = await publicAddressCheck(patient);
    const isReachable = reached.every(({ state }) => state === 'ok');
    return [...reached, ...(await numberChecks(patient, isReachable)), ...(await appCallChecks(patient, isReachable))];
  },
  recordings: recordingChecks,
  fallback: fallbackCheck,
  helplines: async () => helplinesCheck(),
  escalation: async (patient: Patient) => escalationCheck(patient),
} satisfies Record<string, (patient: Patient) => Promise<readonly Finding[]>>;

export type ExaminedPart = keyof typeof PARTS;

export const EXAMINED_PARTS: readonly string[] = Object.keys(PARTS);

export function isExaminedPart(name: string): name is ExaminedPart {
  return Object.hasOwn(PARTS, name);
}

export interface ExaminationOptions {
  /** What a process of ours would be configured with. */
  readonly env: NodeJS.ProcessEnv;
  /** Whether what differs at Twilio is set. */
  readonly apply: boolean;
  /** Only these; all when left out. */
  readonly only?: readonly ExaminedPart[];
  /** Told each finding as soon as it is there. */
  readonly onFinding?: (finding: Finding) => void;
}

/** Looks at everything a call needs, one after the other. Changes nothing but what `apply` allows. Never throws. */
export async function examine({
  env,
  apply,
  only,
  onFinding = () => undefined,
}: ExaminationOptions): Promise<Finding[]> {
  const findings: Finding[] = [];
  const note = (found: readonly Finding[]) => {
    findings.push(...found);
    for (const finding of found) onFinding(finding);
  };
  const config = readable(env);
  if (Array.isArray(config)) {
    note(config);
    return findings;
  }
  note([ok('configuration', 'Every variable is as it should be.')]);
  for (const [name, look] of Object.entries(PARTS)) {
    if (only === undefined || only.some((wanted) => wanted === name)) note(await look({ config, apply }));
  }
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
