/**
 * `npm run bench`: measures what the service promises, beside bare servers that do only the core of the same work, in
 * one run on one machine. `--json`: one object `{rows}` on stdout. `--only WORD`: the groups whose name has the word.
 * `--rounds N`: how often the sides take turns. `--strict`: a missed target ends with code 1. docs/benchmarks.md says
 * how to read it.
 */
import { parseArgs } from 'node:util';
import { auditGroup } from './bench/audit';
import { buddiesWaitingGroup } from './bench/buddies-waiting';
import { bulkGroup } from './bench/bulk';
import { BenchGround } from './bench/ground';
import type { BenchGroup, Effort } from './bench/group';
import { callStatusGroup } from './bench/call-status';
import { connectMentorGroup } from './bench/connect-mentor';
import { mentorCallGroup } from './bench/mentor-call';
import { callTimesGroup } from './bench/call-times';
import { matchGroup } from './bench/match';
import { type BenchRow, tableOf } from './bench/rows';
import { messagesGroup } from './bench/messages';
import { retentionGroup } from './bench/retention';
import { vaultGroup } from './bench/vault';
import { wellbeingScoresGroup } from './bench/wellbeing-scores';
import { CommandError, runCommand } from './command-error';
import { progress } from './project';
import { stopSignal } from './stop-signal';

/** In this order: whole calls need the worker, the loads after them stop it. */
const GROUPS: readonly BenchGroup[] = [
  vaultGroup,
  mentorCallGroup,
  callTimesGroup,
  matchGroup,
  messagesGroup,
  bulkGroup,
  buddiesWaitingGroup,
  auditGroup,
  connectMentorGroup,
  callStatusGroup,
  wellbeingScoresGroup,
  retentionGroup,
];

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      strict: { type: 'boolean', default: false },
    },
  });
  const groups = GROUPS.filter(({ name }) => name.includes(values.only));
  if (groups.length === 0) {
    throw new CommandError(`--only: expected a part of one of ${GROUPS.map(({ name }) => name).join(', ')}`);
  }
  const rows = await measured(groups, effortOf(values));
  if (values.json) process.stdout.write(`${JSON.stringify({ rows }, null, 2)}\n`);
  else process.stdout.write(`\n${tableOf(rows)}\n`);
  const missed = rows.filter(({ ok }) => !ok);
  if (missed.length > 0) progress(`\nMissed: ${missed.map(({ name }) => name).join('; ')}.`);
  return values.strict && missed.length > 0 ? 1 : 0;
}

/** Odd by default: the median is then a round that was. */
function effortOf({ rounds, quick }: { rounds?: string | undefined; quick: boolean }): Effort {
  if (rounds !== undefined && !/^[1-9]\d{0,2}$/.test(rounds)) throw new CommandError('--rounds: expected 1 to 999');
  return { rounds: Number(rounds ?? (quick ? 1 : 7)), isQuick: quick };
}

async function measured(groups: readonly BenchGroup[], effort: Effort): Promise<BenchRow[]> {
  const cancel = stopSignal();
  const needGround = groups.some(({ run }) => run.needs === 'ground');
  const ground = needGround ? await BenchGround.start(cancel) : null;
  cancel.addEventListener('abort', () => void ground?.stop().finally(() => process.exit(130)));
  const rows: BenchRow[] = [];
  try {
    for (const { name, run } of groups) {
      progress(`Measuring ${name} …`);
      if (run.needs === 'nothing') rows.push(...(await run.measure(effort)));
      else if (ground !== null) rows.push(...(await run.measure(effort, ground)));
    }
  } finally {
    if (!cancel.aborted) await ground?.stop();
  }
  return rows;
}

void runCommand(main);
