/** The retention sweep, a page at a time: which statement takes which part, and how many rows it takes at once. */
import type { Pool } from 'pg';
import { periodOf, type RetentionPeriods, type SweptKind } from '../domain/retention';
import { deleteOldAlerts } from './alerts';
import { deleteOldEvents } from './app-event-delivery';
import { deleteOldCheckIns, forgetEndedBuddies, forgetUnverifiedBuddies } from './buddy-retention';
import { anonymiseOldCalls } from './call-anonymising';
import { deleteOldCodes } from './contact-point-codes';
import { forgetOldCostItems } from './cost-items';
import { forgetOldRecipients } from './dispatches';
import { deleteOldIncidents } from './incidents';
import { deleteOldQuestions, deleteOldTexts } from './inbound-texts';
import { whatIsHeld } from './legal-holds';
import { deleteOldLinks } from './mail-links';
import { deleteOldInvitations } from './mentor-accounts';
import { deleteOldRingNotes } from './mentor-rings';
import { deleteOldBatches } from './message-batches';
import { deleteOldMessages } from './messages';
import type { OldPage, OldRows } from './old-rows';
import { deleteLiftedBlocks, deleteLiftedOptOuts } from './opt-outs';
import { inTransaction } from './pool';
import type { Db } from './query';
import { countRecordingsOver, deleteOldRecordingLinks, deleteOldRecordingRows } from './recording-deletion';
import { deleteOldRuns, lockProgress, noteProgress, type PartProgress } from './retention-runs';
import { destroyUnreferencedRecords } from './unreferenced-records';
import { deleteOldWebhookEvents } from './webhook-events';
import {
  deleteOldScores,
  deleteOldWellbeingAlerts,
  forgetEndedContacts,
  forgetSilentContacts,
} from './wellbeing-retention';

interface Part {
  readonly takePage: (tx: Db, rows: OldRows) => Promise<OldPage>;
  /** One page is one transaction: far below the time that a statement may take, and short for whoever waits for a row. */
  readonly limit: number;
}

/** Half a second; each page reads what is old once more where a table has only a summary of its times. */
const simple = (takePage: Part['takePage']): Part => ({ takePage, limit: 50_000 });
/** In which a page is sorted; with less it goes through files. */
const SORT_IN = '64MB';

/** Parts that are rows of ours; the others are at a provider. */
export type RowKind = Exclude<SweptKind, 'recordings'>;

const PARTS: Readonly<Record<RowKind, Part>> = {
  'call-recordings': simple(deleteOldRecordingRows),
  'recording-links': simple(deleteOldRecordingLinks),
  // Each takes a dozen rows of other tables along.
  'mentor-calls': { takePage: anonymiseOldCalls, limit: 2_000 },
  'voice-alerts': { takePage: deleteOldAlerts, limit: 1_000 },
  messages: simple(deleteOldMessages),
  'mail-links': simple(deleteOldLinks),
  // Each may have ten thousand rows.
  'message-batches': { takePage: deleteOldBatches, limit: 10 },
  'contact-point-codes': simple(deleteOldCodes),
  'inbound-texts': simple(deleteOldTexts),
  'open-questions': simple(deleteOldQuestions),
  'opt-outs': simple(deleteLiftedOptOuts),
  'provider-blocks': simple(deleteLiftedBlocks),
  'app-events': simple(deleteOldEvents),
  'webhook-events': simple(deleteOldWebhookEvents),
  dispatches: simple(forgetOldRecipients),
  costs: simple(forgetOldCostItems),
  'check-ins': simple(deleteOldCheckIns),
  // Each is a person, who is erased.
  'unverified-buddies': { takePage: forgetUnverifiedBuddies, limit: 100 },
  'ended-buddies': { takePage: forgetEndedBuddies, limit: 100 },
  'wellbeing-scores': simple(deleteOldScores),
  'wellbeing-alerts': simple(deleteOldWellbeingAlerts),
  'silent-contacts': { takePage: forgetSilentContacts, limit: 100 },
  'ended-contacts': { takePage: forgetEndedContacts, limit: 100 },
  // Each has an audit entry.
  'vault-records': { takePage: destroyUnreferencedRecords, limit: 200 },
  incidents: simple(deleteOldIncidents),
  'ring-notes': simple(deleteOldRingNotes),
  'mentor-invitations': simple(deleteOldInvitations),
  'retention-runs': simple(deleteOldRuns),
};

/**
 * Takes the next page of a part of a run and notes that it has, in one transaction. Killed before its commit nothing has
 * happened, killed after it the next attempt goes on behind it.
 */
export function sweepPage(
  pool: Pool,
  { runId, kind }: { readonly runId: string; readonly kind: RowKind },
  periods: RetentionPeriods,
): Promise<PartProgress> {
  return inTransaction(pool, async (tx) => {
    const progress = await lockProgress(tx, runId, kind);
    if (progress.isOver) return progress;
    await tx.query(`SET LOCAL work_mem = '${SORT_IN}'`);
    const { after } = progress;
    const rows = { olderThanMs: periodOf(kind, periods), limit: PARTS[kind].limit, isDryRun: false, after };
    const page = await PARTS[kind].takePage(tx, { ...rows, held: await whatIsHeld(tx) });
    return await noteProgress(tx, runId, kind, page);
  });
}

/** What a run would find, take and leave to a legal hold now. Changes nothing, anywhere. */
export async function countOver(db: Db, kind: SweptKind, periods: RetentionPeriods): Promise<PartProgress> {
  if (kind === 'recordings') return await recordingsOver(db, periods);
  let [found, taken, held] = [0, 0, 0];
  const rows = { olderThanMs: periodOf(kind, periods), limit: PARTS[kind].limit, isDryRun: true };
  const holds = await whatIsHeld(db);
  for (let after: OldRows['after'] = null; ; ) {
    const page: OldPage = await PARTS[kind].takePage(db, { ...rows, after, held: holds });
    found += page.found;
    taken += page.taken;
    held += page.held;
    after = page.next;
    if (after === null) return { kind, found, taken, held, after, isOver: true };
  }
}

async function recordingsOver(db: Db, periods: RetentionPeriods): Promise<PartProgress> {
  const wanted = { keptMs: periods.recording, held: await whatIsHeld(db) };
  const { found, held } = await countRecordingsOver(db, wanted);
  return { kind: 'recordings', found, taken: found - held, held, after: null, isOver: true };
}
