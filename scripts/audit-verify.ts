/**
 * `npm run audit:verify -- [--json] [--of SYSTEM/DATABASE]`: proves the audit trail of the running service, or of the one that the
 * environment describes. Names the first thing that does not fit and says how far it can see. Exit code 1 unless
 * everything fits. `--of`: the checkpoints are of that database, which was moved here. Needs the role of the worker: `DATABASE_WORKER_URL`, or the worker's own environment.
 */
import { parseArgs } from 'node:util';
import { isUnavailable } from '../api/unavailable';
import { loadConfig } from '../config/config';
import type { DatabaseIdentity } from '../db/audit-checkpoints';
import type { AuditReport } from '../db/audit-report';
import { verifyAuditTrail } from '../db/audit-verifier';
import { sqlState } from '../db/query';
import { KeyRingError } from '../domain/errors';
import { withAuditTrail } from './audit-trail';
import { CommandError, runCommand } from './command-error';
import { serviceSettings } from './service-settings';

/** SQLSTATEs: no rights, no such table. */
const NOT_OURS = new Map([
  ['42501', 'The role may not read the audit chain: set DATABASE_WORKER_URL, or use the environment of the worker.'],
  ['42P01', 'This database has no audit chain yet: npm run migrate -- up.'],
]);

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: 'boolean', default: false }, of: { type: 'string' } } });
  const of = values.of === undefined ? undefined : databaseOf(values.of);
  const { env } = await serviceSettings();
  const config = loadConfig(env);
  const began = Date.now();
  const report = await withAuditTrail(config, config.database.workerUrl, (trail) =>
    verifyAuditTrail({ ...trail, of }),
  ).catch((error: unknown) => {
    throw inOneSentence(error);
  });
  const durationMs = Date.now() - began;
  process.stdout.write(values.json ? `${JSON.stringify({ ...report, durationMs }, null, 2)}\n` : inWords(report));
  return report.isWhole ? 0 : 1;
}

/** As the verifier names it when it meets a checkpoint of another database. */
function databaseOf(text: string): DatabaseIdentity {
  const [, system, database] = /^(\d{1,20})\/(.+)$/.exec(text) ?? [];
  if (system === undefined || database === undefined) {
    throw new CommandError(
      '--of: expected the system identifier and the name of a database, such as 7381234567/kindline',
    );
  }
  return { system, database };
}

/** What keeps the trail from being looked at, for whoever can mend it; anything else is a fault of ours. */
function inOneSentence(error: unknown): unknown {
  const known = NOT_OURS.get(sqlState(error) ?? '');
  if (known !== undefined) return new CommandError(known);
  if (error instanceof KeyRingError) {
    return new CommandError(`The keys of the chain do not open (${error.code}): see npm run doctor -- --only keys.`);
  }
  // Its own text names host, role and database. Of SQLSTATE class 28: the role is refused; 3D: no such database.
  const isAway = isUnavailable(error) || /^(?:28|3D)/.test(sqlState(error) ?? '');
  return isAway ? new CommandError('The database or the store of checkpoints does not answer, or refuses us.') : error;
}

/** For whoever has to rely on it: what was found, and what could not have been. */
function inWords(report: AuditReport): string {
  return [verdict(report), '', ...counted(report), '', ...horizon(report), ''].join('\n');
}

function verdict({ isWhole, fault, faults }: AuditReport): string {
  if (isWhole || fault === null) return 'The audit trail is whole.';
  const where = [
    fault.position === null ? null : `place ${fault.position}`,
    fault.entryId === null ? null : `entry ${fault.entryId}`,
    fault.checkpoint === null ? null : `checkpoint ${fault.checkpoint}`,
  ].filter((part) => part !== null);
  return [
    'The audit trail is NOT whole.',
    `  First that does not fit (${fault.kind})${where.length === 0 ? '' : `: ${where.join(', ')}`}`,
    `  ${fault.what}`,
    ...(faults > 1 ? [`  After it ${faults - 1} more were met; some may only follow from it.`] : []),
  ].join('\n');
}

function counted({ entries, chained, waiting, waitingSince, checkpoints }: AuditReport): string[] {
  const since = waitingSince === null ? '' : `, the oldest since ${waitingSince}`;
  return [
    `${entries} entries judged; the chain ends at place ${chained}; ${waiting} wait for their place${since}.`,
    `${checkpoints} checkpoints read.`,
  ];
}

function horizon({ horizon: seen, chained, waiting }: AuditReport): string[] {
  const lines =
    seen === null
      ? ['Horizon: none. No checkpoint fits, so a cut of the end could not be seen anywhere.']
      : [
          `Horizon: place ${seen.position}, as of ${seen.at} (checkpoint ${seen.checkpoint}).`,
          '  Of the places up to there any change, gap, swap or cut would have been seen.',
        ];
  if (chained > (seen?.position ?? 0)) {
    lines.push(
      `  Places ${(seen?.position ?? 0) + 1} to ${chained}: a change would have been seen, unless the end was cut and chained anew.`,
    );
  }
  if (waiting > 0) lines.push('  Entries that wait: only that each agrees with its own bytes.');
  lines.push(
    '  Never seen: what was added wrongly in the way that the application adds, and what somebody did who holds the keys.',
  );
  return lines;
}

void runCommand(main);
