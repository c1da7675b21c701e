/**
 * Proves the audit trail: goes through chain and entries side by side, works out every keyed hash again, and holds
 * both against the checkpoints. Reads only. What it cannot see lies behind its horizon.
 */
import { createSecretKey, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import type { CheckpointStore } from '../domain/audit-checkpoint';
import { CHAIN_START, chainMac } from '../vault/chain-mac';
import type { ServiceKeys } from '../vault/service-keys';
import { chainEnd } from './audit-chain';
import { CheckpointTrail } from './audit-checkpoint-trail';
import { type DatabaseIdentity, databaseIdentity } from './audit-checkpoints';
import { type AuditFault, auditFault, type AuditReport, Faults } from './audit-report';
import {
  columnsThatDiffer,
  entriesBetween,
  entryById,
  linkOfEntry,
  linksUpTo,
  type Rows,
  type StoredEntry,
  type StoredLink,
} from './audit-rows';
import { guardFaults, uncoveredErasures } from './audit-surroundings';
import { type Db, one } from './query';

export interface AuditTrail {
  readonly db: Db;
  /** With the purposes `audit-chain` and `audit-checkpoint`. */
  readonly keys: ServiceKeys;
  readonly store: CheckpointStore;
  /** Whose checkpoints they are, when it is not this database that they were written for: it was moved here. */
  readonly of?: DatabaseIdentity | undefined;
}

/** Rows of one question to Postgres. */
const PAGE = 5_000;

/** Entries may be added and chained meanwhile: judged is the chain as it is when this begins. */
export async function verifyAuditTrail(trail: AuditTrail, pageSize: number = PAGE): Promise<AuditReport> {
  return new Verification(trail, pageSize).run();
}

/** Which of the two rows in hand has been dealt with. */
type Done = 'both' | 'link' | 'entry';

class Verification {
  private readonly faults = new Faults();
  private readonly secrets: ReadonlyMap<number, KeyObject>;
  /** The last place that was judged, and the hash that stands there. */
  private position = 0;
  private mac: Uint8Array = CHAIN_START;
  private entries = 0;

  constructor(
    private readonly trail: AuditTrail,
    private readonly pageSize: number,
  ) {
    this.secrets = new Map(trail.keys.all('audit-chain').map(({ version, key }) => [version, createSecretKey(key)]));
  }

  async run(): Promise<AuditReport> {
    const { db, store, keys } = this.trail;
    const { newest, head } = await this.ends();
    const checkpoints = new CheckpointTrail(store, keys, this.trail.of ?? (await databaseIdentity(db)), newest);
    const unchained = await this.followChain(head, checkpoints);
    const waiting = entriesBetween(db, { after: head.txid, upTo: null }, this.pageSize);
    if (!this.faults.isEnough) {
      const first = (await unchained.peek()) ?? (await waiting.peek());
      const beyond = await checkpoints.beyond();
      if (beyond !== null) this.note(cut(this.position + 1, first, beyond.name, beyond.checkpoint.position));
    }
    await this.noteUnchained(unchained);
    const { count, since } = await this.judgeWaiting(waiting);
    this.note(checkpoints.fault);
    for (const fault of await uncoveredErasures(db)) this.note(fault);
    for (const fault of await guardFaults(db)) this.note(fault);
    if (head.position > 0 && checkpoints.count === 0) {
      this.note(auditFault('checkpoint', 'There is no checkpoint at all: that the end was cut could not be seen.'));
    }
    return {
      entries: this.entries,
      chained: head.position,
      waiting: count,
      waitingSince: since,
      checkpoints: checkpoints.count,
      horizon: checkpoints.horizon,
      fault: this.faults.first,
      faults: this.faults.count,
      isWhole: this.faults.count === 0,
    };
  }

  /** The last checkpoint and the last place that are judged. What is sealed meanwhile has seen places behind them. */
  private async ends() {
    const { db, store } = this.trail;
    const ask = async () => ({ newest: (await store.newest())?.name ?? null, head: await chainEnd(db) });
    const ends = await ask();
    // The first checkpoint of all may have been written between the two questions.
    return ends.newest === null && ends.head.position > 0 ? await ask() : ends;
  }

  /** @returns what is left of the entries that are as old as the chain */
  private async followChain(
    head: { readonly position: number; readonly txid: string },
    checkpoints: CheckpointTrail,
  ): Promise<Rows<StoredEntry>> {
    const { db } = this.trail;
    const links = linksUpTo(db, head.position, this.pageSize);
    const entries = entriesBetween(db, { after: '0', upTo: head.txid }, this.pageSize);
    this.note(await checkpoints.compare(0, CHAIN_START));
    for (let link = await links.peek(); link !== null && !this.faults.isEnough; link = await links.peek()) {
      const entry = await entries.peek();
      if (link.position !== this.position + 1) {
        // With the next link's own entry in hand, the entry of the missing place is gone as well.
        this.note(gap(this.position + 1, entry?.entry_id === link.entry_id ? null : entry));
        this.position = link.position - 1;
      }
      const done = this.isAsChained(link, entry) ? 'both' : await this.diagnose(link, entry);
      if (done !== 'link') {
        entries.skip();
        this.entries += 1;
      }
      if (done === 'entry') continue;
      links.skip();
      ({ position: this.position, mac: this.mac } = link);
      this.note(await checkpoints.compare(link.position, link.mac));
    }
    return entries;
  }

  /** Entries older than the end of the chain that no link names. */
  private async noteUnchained(entries: Rows<StoredEntry>): Promise<void> {
    for (let extra = await entries.peek(); extra !== null && !this.faults.isEnough; extra = await entries.peek()) {
      this.note(inserted(extra, this.position));
      this.entries += 1;
      entries.skip();
    }
  }

  private isAsChained(link: StoredLink, entry: StoredEntry | null): boolean {
    if (entry === null || entry.entry_id !== link.entry_id || entry.txid !== link.txid) return false;
    return this.fits(link, entry) && columnsThatDiffer(entry).length === 0;
  }

  /** Whether this entry is what got this place, whatever the link says about it. */
  private fits(link: StoredLink, { txid, canonical }: StoredEntry): boolean {
    const key = this.secrets.get(link.key_version);
    if (key === undefined) return false;
    const { position, key_version: keyVersion, mac } = link;
    return chainMac(key, { position, previous: this.mac, keyVersion, txid, canonical }).equals(mac);
  }

  /** Link and entry are not each other's: says why. @returns which of them is done with */
  private async diagnose(link: StoredLink, entry: StoredEntry | null): Promise<Done> {
    const { position } = link;
    if (entry !== null && (entry.entry_id === link.entry_id || this.fits(link, entry))) {
      this.note(changed(entry, position, link));
      return 'both';
    }
    const own = await entryById(this.trail.db, link.entry_id);
    if (own === null) {
      this.note(auditFault('missing', `The entry of place ${position} is gone.`, { position, entryId: link.entry_id }));
      return 'link';
    }
    if (entry !== null && this.fits(link, own) && isBefore(entry, own)) {
      const place = await linkOfEntry(this.trail.db, entry.entry_id);
      this.note(place === null ? inserted(entry, position) : moved(entry, place.position));
      return 'entry';
    }
    const columns = columnsThatDiffer(own);
    this.note(columns.length > 0 ? changed(own, position, link) : moved(own, position));
    return 'link';
  }

  /** What is too young for the chain can still be held against its own bytes. */
  private async judgeWaiting(rows: Rows<StoredEntry>): Promise<{ count: number; since: string | null }> {
    let count = 0;
    let last: StoredEntry | null = null;
    let since: Date | null = null;
    for (let entry = await rows.peek(); entry !== null && !this.faults.isEnough; entry = await rows.peek()) {
      const columns = columnsThatDiffer(entry);
      if (columns.length > 0) this.note(changed(entry, null, null));
      last = entry;
      if (entry.at !== null && (since === null || entry.at < since)) since = entry.at;
      count += 1;
      rows.skip();
    }
    // Asked after the last entry was read, so that no honest one can be above it.
    const { newest } = await one(
      this.trail.db,
      z.object({ newest: z.string() }),
      `SELECT audit_number(greatest(pg_snapshot_xmax(pg_current_snapshot()),
                                    coalesce(pg_current_xact_id_if_assigned(), '0'::xid8)))::text AS newest`,
    );
    if (last !== null && BigInt(last.txid) > BigInt(newest)) this.note(inserted(last, null));
    return { count, since: since?.toISOString() ?? null };
  }

  private note(fault: AuditFault | null): void {
    if (fault !== null) this.faults.add(fault);
  }
}

/** The order of the chain. Postgres orders UUIDs by their bytes, which is the order of their text. */
function isBefore(a: StoredEntry, b: StoredEntry): boolean {
  const [of, than] = [BigInt(a.txid), BigInt(b.txid)];
  return of < than || (of === than && a.entry_id < b.entry_id);
}

function changed(entry: StoredEntry, position: number | null, link: StoredLink | null): AuditFault {
  const columns = columnsThatDiffer(entry);
  const what =
    columns.length > 0
      ? `The entry was changed: ${columns.join(', ')} and its bytes do not say the same.`
      : link !== null && link.entry_id !== entry.entry_id
        ? 'The link of this entry was changed: it names another.'
        : 'The entry, or its link in the chain, was changed.';
  return auditFault('changed', what, { position, entryId: entry.entry_id });
}

function moved(entry: StoredEntry, position: number): AuditFault {
  return auditFault('moved', `Entry and place ${position} were not made for each other: one was moved or changed.`, {
    position,
    entryId: entry.entry_id,
  });
}

function inserted(entry: StoredEntry, position: number | null): AuditFault {
  return auditFault(
    'inserted',
    'The entry was added behind the chain: its transaction is not one that could write it.',
    {
      position,
      entryId: entry.entry_id,
    },
  );
}

function gap(position: number, entry: StoredEntry | null): AuditFault {
  return auditFault('missing', `Place ${position} is missing from the chain.`, {
    position,
    entryId: entry?.entry_id ?? null,
  });
}

function cut(position: number, first: StoredEntry | null, checkpoint: string, reached: number): AuditFault {
  const what = `The chain ends before place ${position}, but checkpoint ${checkpoint} has seen place ${reached}.`;
  return auditFault('cut', what, { position, entryId: first?.entry_id ?? null, checkpoint });
}
