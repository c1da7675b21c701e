/**
 * `npm run doctor [-- --apply] [-- --json] [-- --only PART]`: looks at everything that a call needs, from the configuration to the URLs
 * of our numbers at Twilio, and says what to do where something is missing. Exit code 1 when a check fails.
 *
 * Looks at the deployment that the environment describes, else at what `npm start` runs. Changes nothing, except
 * with `--apply` the URLs of our own numbers. Shows no secret and no number of a person.
 */
import { parseArgs } from 'node:util';
import { CommandError, runCommand } from './command-error';
import { EXAMINED_PARTS, examine, isExaminedPart } from './doctor/examination';
import type { Finding } from './doctor/finding';
import { serviceSettings } from './service-settings';

const SIGNS: Readonly<Record<Finding['state'], string>> = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' };

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      apply: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      only: { type: 'string', multiple: true },
    },
  });
  const only = values.only?.map((name) => {
    if (isExaminedPart(name)) return name;
    throw new CommandError(`--only: expected ${EXAMINED_PARTS.join(', ')}`);
  });
  const { env, from } = await serviceSettings();
  if (!values.json) process.stdout.write(`Looking at the service as ${from} describes it.\n\n`);
  const findings = await examine({
    env,
    apply: values.apply,
    ...(only === undefined ? {} : { only }),
    onFinding: values.json ? () => undefined : (finding) => process.stdout.write(`${lineOf(finding)}\n`),
  });
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
  const isWell = count('fail') === 0;
  if (values.json) process.stdout.write(`${JSON.stringify({ ok: isWell, from, findings }, null, 2)}\n`);
  else process.stdout.write(`\n${count('ok')} ok, ${count('warn')} to look at, ${count('fail')} failed\n`);
  return isWell ? 0 : 1;
}

function lineOf({ state, check, says, todo }: Finding): string {
  return `${SIGNS[state]}  ${check.padEnd(18)} ${says}${todo === null ? '' : `\n${' '.repeat(25)}→ ${todo}`}`;
}

void runCommand(main);
