import { Context } from '@temporalio/activity';
import { noteLegCosts } from '../db/cost-items';
import { inTransaction } from '../db/pool';
import { countOver, type RowKind, sweepPage } from '../db/retention-pages';
import { endRun, lockProgress, noteProgress, type PartProgress } from '../db/retention-runs';
import type { SweptKind } from '../domain/retention';
import type { ActivityDependencies } from './dependencies';
import { withHeartbeat } from './heartbeat';

/** An attempt has ten minutes; what is left after these (ms) another one takes up. */
const WALKS_FOR = 8 * 60_000;
const LEGS_AT_ONCE = 500;

/** What a retention sweep is asked: `isDryRun` counts what would go, and changes nothing. */
export interface RetentionRun {
  readonly isDryRun: boolean;
  /** Which parts, in this order. Runs that were started without it take the course that there was before. */
  readonly kinds?: readonly SweptKind[];
}

/** Of one part: rows whose time was over, those that went (or would), and those that a legal hold has kept. */
export type SweptPart = Pick<PartProgress, 'kind' | 'found' | 'taken' | 'held' | 'isOver'>;

/** As runs of the earlier course were told it. */
export interface LeftOver {
  readonly found: number;
  readonly destroyed: number;
}

/** The parts of the retention sweep. Each may be repeated and run beside itself. */
export function createRetentionActivities(
  { pool, logger, retention, monotonicMs }: Pick<ActivityDependencies, 'pool' | 'logger' | 'retention' | 'monotonicMs'>,
  /** Of what is not rows of ours. */
  elsewhere: Readonly<Record<Exclude<SweptKind, RowKind>, () => Promise<SweptPart>>>,
) {
  const sweepOld = async ({ kind, isDryRun }: { kind: SweptKind; isDryRun: boolean }): Promise<SweptPart> => {
    if (isDryRun) return swept(await countOver(pool, kind, retention));
    return kind === 'recordings' ? await sweepElsewhere(kind) : await sweepRows(kind);
  };

  /** Noted as one page when it is over: an attempt after that finds it so. */
  const sweepElsewhere = async (kind: Exclude<SweptKind, RowKind>): Promise<SweptPart> => {
    const runId = runOfWorkflow();
    const before = await inTransaction(pool, (tx) => lockProgress(tx, runId, kind));
    if (before.isOver) return swept(before);
    const part = await elsewhere[kind]();
    if (!part.isOver) return part;
    const progress = await inTransaction(pool, async (tx) => {
      const now = await lockProgress(tx, runId, kind);
      return now.isOver ? now : await noteProgress(tx, runId, kind, { ...part, next: null });
    });
    report(progress);
    return swept(progress);
  };

  const sweepRows = (kind: RowKind): Promise<SweptPart> =>
    withHeartbeat<unknown, SweptPart>(async ({ tell }) => {
      // Their events leave with the calls, and costs are made from events.
      if (kind === 'mentor-calls') while ((await noteLegCosts(pool, LEGS_AT_ONCE)) >= LEGS_AT_ONCE);
      const runId = runOfWorkflow();
      const until = monotonicMs() + WALKS_FOR;
      for (;;) {
        const progress = await sweepPage(pool, { runId, kind }, retention);
        // Where it goes on stands in Postgres, noted with the page: a beat that is lost loses nothing.
        tell({ ...swept(progress), upTo: progress.after?.at ?? null });
        if (progress.isOver) report(progress);
        if (progress.isOver || monotonicMs() >= until) return swept(progress);
        Context.current().cancellationSignal.throwIfAborted();
      }
    });

  const report = ({ kind, taken, held }: PartProgress): void => {
    const rows = Context.current().metricMeter.createCounter('kindline_retention_rows');
    rows.add(taken, { kind, became: 'gone' });
    rows.add(held, { kind, became: 'held' });
    if (taken > 0) logger.info({ sweep: kind, count: taken }, 'rows were kept for their time');
  };

  /** For runs of the earlier course that are open while this is deployed. */
  const together =
    (...kinds: readonly SweptKind[]) =>
    async ({ isDryRun }: RetentionRun): Promise<LeftOver> => {
      let [found, destroyed] = [0, 0];
      for (const kind of kinds) {
        const part = await sweepOld({ kind, isDryRun });
        found += part.found;
        destroyed += isDryRun ? 0 : part.taken;
      }
      return { found, destroyed };
    };

  return {
    sweepOld,

    /** Notes that the run is over, and with `isWhole` that the sweep has come to its end. May be repeated. */
    endRetentionRun: ({ isWhole }: { isWhole: boolean }): Promise<void> => endRun(pool, runOfWorkflow(), isWhole),

    destroyUnreferencedRecords: together('vault-records'),
    deleteOldAppEvents: together('app-events'),
    deleteOldMessages: together('messages', 'mail-links', 'contact-point-codes', 'message-batches'),
    forgetOldRecipients: together('dispatches'),
    deleteOldWebhookEvents: together('webhook-events'),
    deleteOldAlerts: together('voice-alerts'),
    deleteOldTexts: together('inbound-texts', 'open-questions', 'opt-outs', 'provider-blocks'),
  };
}

function swept({ kind, found, taken, held, isOver }: PartProgress): SweptPart {
  return { kind, found, taken, held, isOver };
}

function runOfWorkflow(): string {
  const { workflowExecution } = Context.current().info;
  if (workflowExecution === undefined) throw new Error('The retention sweep runs in a workflow');
  return workflowExecution.runId;
}
