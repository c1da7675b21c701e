/**
 * What somebody could do to the audit trail who owns the tables and the checkpoint store, has switched the triggers
 * off, and lacks only the keys. Each says what the verifier has to name.
 */
import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import type { ClientBase } from 'pg';
import { canonicalBytes } from '../../../db/audit';
import { chainWithin } from '../../../db/audit-chain';
import { checkpointBytes, parseCheckpoint } from '../../../domain/audit-checkpoint';
import { CHAIN_START, chainMac } from '../../../vault/chain-mac';
import { signCheckpoint } from '../../../vault/checkpoint-signature';
import type { ServiceKeys } from '../../../vault/service-keys';
import type { SeededRandom } from '../../chaos/seeded-random';
import type { MemoryStore } from './audit-world';

export interface ChainedEntry {
  readonly position: number;
  readonly entry_id: string;
  readonly at: Date;
  readonly actor: string;
  readonly action: string;
  readonly object_id: string;
  readonly purpose: string | null;
  readonly outcome: string;
  readonly canonical: Buffer;
  readonly txid: string;
}

export interface Scene {
  /** The owner's, in a transaction that is undone. */
  readonly db: ClientBase;
  readonly store: MemoryStore;
  /** The honest keys: for the honest chainer only. */
  readonly keys: ServiceKeys;
  readonly random: SeededRandom;
  /** In the order of the chain. */
  readonly entries: readonly ChainedEntry[];
  /** The newest checkpoint vouches for places up to this one. */
  readonly vouchedFor: number;
}

/** What has to be named. A place or an id that is left out may be any. */
export interface Expected {
  readonly kinds: readonly string[];
  readonly position?: number | null;
  readonly entryIds?: readonly (string | null)[];
  readonly checkpoint?: string;
}

type Tamper = (scene: Scene) => Promise<Expected>;

export const TAMPERS: Readonly<Record<string, Tamper>> = {
  async 'a column of an entry'({ db, random, entries }) {
    const entry = random.pick(entries);
    const column = random.pick(['at', 'actor', 'action', 'object_id', 'purpose', 'outcome']);
    const value = column === 'at' ? `at + interval '1 microsecond'` : `coalesce(${column}, '') || 'x'`;
    await db.query(`UPDATE audit_entries SET ${column} = ${value} WHERE entry_id = $1`, [entry.entry_id]);
    return { kinds: ['changed'], position: entry.position, entryIds: [entry.entry_id] };
  },
  async 'a byte of what an entry says'({ db, random, entries }) {
    const entry = random.pick(entries);
    await db.query('UPDATE audit_entries SET canonical = $2 WHERE entry_id = $1', [
      entry.entry_id,
      oneBitOther(entry.canonical, random),
    ]);
    return { kinds: ['changed'], position: entry.position, entryIds: [entry.entry_id] };
  },
  async 'an entry, columns and bytes alike'({ db, random, entries }) {
    const entry = random.pick(entries);
    const forged = { ...entry, actor: randomUUID(), at: new Date(entry.at.getTime() - random.between(0, 9_999)) };
    await db.query('UPDATE audit_entries SET actor = $2, at = $3, canonical = $4 WHERE entry_id = $1', [
      entry.entry_id,
      forged.actor,
      forged.at,
      canonicalBytes(forged),
    ]);
    // Its own columns and bytes agree: only the chain knows.
    return { kinds: ['changed', 'moved'], position: entry.position, entryIds: [entry.entry_id] };
  },
  async "an entry's transaction"({ db, random, entries }) {
    const entry = random.pick(entries);
    const by = random.pick([-500, -3, -1, 1, 3, 500]);
    await db.query('UPDATE audit_entries SET txid = (txid::text::bigint + $2)::text::xid8 WHERE entry_id = $1', [
      entry.entry_id,
      by,
    ]);
    return { kinds: ['changed', 'moved', 'cut'], entryIds: [entry.entry_id] };
  },
  async "an entry's id"({ db, random, entries }) {
    const entry = random.pick(entries);
    const id = randomUUID();
    const canonical = random.pick([entry.canonical, canonicalBytes({ ...entry, entry_id: id })]);
    await db.query('UPDATE audit_entries SET entry_id = $2, canonical = $3 WHERE entry_id = $1', [
      entry.entry_id,
      id,
      canonical,
    ]);
    return { kinds: ['changed', 'missing', 'inserted'], entryIds: [entry.entry_id, id] };
  },
  async 'an entry that is deleted'({ db, random, entries }) {
    const { entry_id: id, position } = random.pick(entries);
    await db.query('DELETE FROM audit_entries WHERE entry_id = $1', [id]);
    return { kinds: ['missing'], position, entryIds: [id] };
  },
  async 'a link that is deleted'({ db, random, entries, vouchedFor }) {
    const { entry_id: id, position } = entries[random.between(0, vouchedFor - 1)]!;
    await db.query('DELETE FROM audit_chain WHERE position = $1', [position]);
    return { kinds: [position === entries.length ? 'cut' : 'missing'], position, entryIds: [id] };
  },
  async 'an entry and its link that are deleted'({ db, random, entries, vouchedFor }) {
    const { entry_id: id, position } = entries[random.between(0, vouchedFor - 1)]!;
    await db.query('DELETE FROM audit_chain WHERE position = $1', [position]);
    await db.query('DELETE FROM audit_entries WHERE entry_id = $1', [id]);
    return position === entries.length
      ? { kinds: ['cut'], position }
      : { kinds: ['missing'], position, entryIds: [null] };
  },
  async 'an entry and its link that are deleted, with all later places moved up'({ db, random, entries, vouchedFor }) {
    const { entry_id: id, position } = entries[random.between(0, vouchedFor - 1)]!;
    await db.query('DELETE FROM audit_chain WHERE position = $1', [position]);
    await db.query('DELETE FROM audit_entries WHERE entry_id = $1', [id]);
    await shift(db, position, -1);
    const next = entries[position]?.entry_id ?? null;
    return { kinds: ['changed', 'moved', 'cut'], position, entryIds: [next] };
  },
  async 'an entry that is added behind the chain'({ db, random, entries }) {
    const id = await insertEntry(db, random.pick(entries).txid);
    return { kinds: ['inserted'], entryIds: [id] };
  },
  async 'an entry of a transaction that is still to come'({ db }) {
    const id = await insertEntry(db, '9000000000');
    return { kinds: ['inserted'], position: null, entryIds: [id] };
  },
  async 'an entry whose bytes say something else, added as the application could'({ db }) {
    const id = randomUUID();
    await db.query(
      `INSERT INTO audit_entries (entry_id, at, actor, action, object_id, purpose, outcome, canonical)
       VALUES ($1, now(), 'system', 'mentor.changed', 'x', NULL, 'done', '{}')`,
      [id],
    );
    return { kinds: ['changed'], position: null, entryIds: [id] };
  },
  async 'an entry that is added with a link of its own at the end'({ db, entries }) {
    const id = await insertEntry(db, null);
    await db.query(
      `INSERT INTO audit_chain (position, entry_id, txid, key_version, mac)
       SELECT $2, entry_id, txid, 1, $3 FROM audit_entries WHERE entry_id = $1`,
      [id, entries.length + 1, randomBytes(32)],
    );
    return { kinds: ['changed', 'moved'], position: entries.length + 1, entryIds: [id] };
  },
  async 'an entry that is added in the middle, with a link'({ db, random, entries }) {
    const { position, txid } = random.pick(entries);
    const id = await insertEntry(db, txid);
    await shift(db, position - 1, 1);
    await db.query('INSERT INTO audit_chain (position, entry_id, txid, key_version, mac) VALUES ($1, $2, $3, 1, $4)', [
      position,
      id,
      txid,
      randomBytes(32),
    ]);
    // Among the entries of its transaction it may stand before or behind the place that was made for it.
    return { kinds: ['changed', 'moved', 'inserted'] };
  },
  async 'two entries that say what the other said'({ db, random, entries }) {
    const [a, b] = two(random, entries);
    for (const [to, from] of [
      [a, b],
      [b, a],
    ] as const) {
      await db.query(
        `UPDATE audit_entries SET at = $2, actor = $3, action = $4, object_id = $5, purpose = $6, outcome = $7,
                canonical = $8 WHERE entry_id = $1`,
        [to.entry_id, from.at, from.actor, from.action, from.object_id, from.purpose, from.outcome, from.canonical],
      );
    }
    return { kinds: ['changed'], position: a.position, entryIds: [a.entry_id] };
  },
  async 'two entries that have each other’s id'({ db, random, entries }) {
    const [a, b] = two(random, entries);
    await exchange(db, 'audit_entries', 'entry_id', a, b);
    return { kinds: ['changed', 'moved'], entryIds: [a.entry_id, b.entry_id] };
  },
  async 'two links that name each other’s entry'({ db, random, entries }) {
    const [a, b] = two(random, entries);
    await exchange(db, 'audit_chain', 'entry_id', a, b);
    return { kinds: ['changed'], position: a.position, entryIds: [a.entry_id] };
  },
  async 'two links that stand in each other’s place'({ db, random, entries }) {
    const [a, b] = two(random, entries);
    await db.query('UPDATE audit_chain SET position = 1000000 WHERE position = $1', [a.position]);
    await db.query('UPDATE audit_chain SET position = $1 WHERE position = $2', [a.position, b.position]);
    await db.query('UPDATE audit_chain SET position = $1 WHERE position = 1000000', [b.position]);
    return { kinds: ['changed', 'moved'], position: a.position, entryIds: [a.entry_id, b.entry_id] };
  },
  async 'a bit of a keyed hash'({ db, random, entries }) {
    const { position, entry_id: id } = random.pick(entries);
    const { rows } = await db.query('SELECT mac FROM audit_chain WHERE position = $1', [position]);
    await db.query('UPDATE audit_chain SET mac = $2 WHERE position = $1', [position, oneBitOther(rows[0].mac, random)]);
    return { kinds: ['changed'], position, entryIds: [id] };
  },
  async "a link's key version"({ db, random, entries }) {
    const { position, entry_id: id } = random.pick(entries);
    await db.query('UPDATE audit_chain SET key_version = 2 WHERE position = $1', [position]);
    return { kinds: ['changed'], position, entryIds: [id] };
  },
  async "a link's transaction"({ db, random, entries }) {
    const { position, entry_id: id } = random.pick(entries);
    await db.query('UPDATE audit_chain SET txid = (txid::text::bigint + 1)::text::xid8 WHERE position = $1', [
      position,
    ]);
    return { kinds: ['changed'], position, entryIds: [id] };
  },
  async 'a link that names an entry that never was'({ db, random, entries }) {
    const { position, entry_id: id } = random.pick(entries);
    await db.query('UPDATE audit_chain SET entry_id = $2 WHERE position = $1', [position, randomUUID()]);
    return { kinds: ['changed'], position, entryIds: [id] };
  },
  async 'the end of the chain, cut'({ db, random, entries, vouchedFor }) {
    const { position, entry_id: id } = entries[random.between(0, vouchedFor - 1)]!;
    await db.query('DELETE FROM audit_chain WHERE position >= $1', [position]);
    return { kinds: ['cut'], position, entryIds: [id] };
  },
  async 'the end of chain and entries, cut'({ db, random, entries, vouchedFor }) {
    const { position } = entries[random.between(0, vouchedFor - 1)]!;
    const gone = entries.slice(position - 1).map((entry) => entry.entry_id);
    await db.query('DELETE FROM audit_chain WHERE position >= $1', [position]);
    await db.query('DELETE FROM audit_entries WHERE entry_id = ANY($1)', [gone]);
    return { kinds: ['cut'], position };
  },
  async everything({ db, random }) {
    await db.query(random.pick(['TRUNCATE audit_chain, audit_entries', 'TRUNCATE audit_chain']));
    return { kinds: ['cut'], position: 1 };
  },
  async 'an entry, after which the honest chainer was made to chain again'({ db, random, entries, vouchedFor, keys }) {
    const { position, entry_id: id } = entries[random.between(0, vouchedFor - 2)]!;
    await db.query('DELETE FROM audit_chain WHERE position >= $1', [position]);
    await db.query('DELETE FROM audit_entries WHERE entry_id = $1', [id]);
    await chainWithin(db, keys.current('audit-chain'));
    // Every hash fits again; the first checkpoint from that place on does not, nor does what shared a transaction.
    return { kinds: ['cut', 'inserted'] };
  },
  async 'an entry, with the chain made new from there under a key of one’s own'({ db, random, entries }) {
    const from = random.pick(entries);
    const canonical = canonicalBytes({ ...from, actor: 'somebody else' });
    await db.query(`UPDATE audit_entries SET actor = 'somebody else', canonical = $2 WHERE entry_id = $1`, [
      from.entry_id,
      canonical,
    ]);
    const key = createSecretKey(randomBytes(32));
    let previous: Buffer = CHAIN_START;
    for (const entry of entries.slice(from.position - 1)) {
      const said = entry === from ? canonical : entry.canonical;
      const { position, txid } = entry;
      previous = chainMac(key, { position, previous, keyVersion: 1, txid, canonical: said });
      await db.query('UPDATE audit_chain SET mac = $2 WHERE position = $1', [position, previous]);
    }
    return { kinds: ['changed'], position: from.position, entryIds: [from.entry_id] };
  },
  async 'a byte of a checkpoint'({ store, random }) {
    const { name, bytes } = random.pick(store.list());
    store.files.set(name, oneBitOther(bytes, random));
    return { kinds: ['checkpoint'], checkpoint: name };
  },
  async 'a checkpoint that is taken away'({ store, random }) {
    const names = store.list().map((stored) => stored.name);
    const at = random.between(0, names.length - 2);
    store.files.delete(names[at]!);
    return { kinds: ['checkpoint'], checkpoint: names[at + 1]! };
  },
  async 'two checkpoints in each other’s place'({ store, random }) {
    const [a, b] = two(random, store.list());
    store.files.set(a.name, b.bytes);
    store.files.set(b.name, a.bytes);
    return { kinds: ['checkpoint'], checkpoint: a.name };
  },
  async 'a checkpoint that is signed with a key of one’s own'({ store, random }) {
    const { name, bytes } = random.pick(store.list());
    const { signature: _, ...checkpoint } = parseCheckpoint(bytes)!;
    const forged = { ...checkpoint, position: checkpoint.position + 1 };
    store.files.set(name, checkpointBytes(signCheckpoint(forged, { version: 1, key: randomBytes(32) })));
    return { kinds: ['checkpoint'], checkpoint: name };
  },
  async 'the log of erasures'({ db, random }) {
    await db.query(
      random.pick([
        `UPDATE erasures SET actor = 'somebody else'`,
        'UPDATE erasures SET subject_id = gen_random_uuid()',
        'DELETE FROM erasures',
        `INSERT INTO erasures (subject_id, actor) VALUES (gen_random_uuid(), 'system')`,
      ]),
    );
    return { kinds: ['erasure'] };
  },
};

/** A fresh entry that agrees with itself. `txid` null: this transaction's, as anybody's would be. */
async function insertEntry(db: ClientBase, txid: string | null): Promise<string> {
  const fields = {
    entry_id: randomUUID(),
    at: new Date(),
    actor: 'system',
    action: 'mentor.changed',
    object_id: randomUUID(),
    purpose: null,
    outcome: 'done',
  };
  await db.query(
    `INSERT INTO audit_entries (entry_id, at, actor, action, object_id, outcome, canonical, txid)
     VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8::text::xid8, pg_current_xact_id()))`,
    [
      fields.entry_id,
      fields.at,
      fields.actor,
      fields.action,
      fields.object_id,
      fields.outcome,
      canonicalBytes(fields),
      txid,
    ],
  );
  return fields.entry_id;
}

/** In two steps, because no two links may have one position even for a moment. */
async function shift(db: ClientBase, after: number, by: number): Promise<void> {
  await db.query('UPDATE audit_chain SET position = position + 1000000 WHERE position > $1', [after]);
  await db.query('UPDATE audit_chain SET position = position - 1000000 + $1 WHERE position > 1000000', [by]);
}

async function exchange(
  db: ClientBase,
  table: string,
  column: string,
  a: ChainedEntry,
  b: ChainedEntry,
): Promise<void> {
  const aside = randomUUID();
  for (const [from, to] of [
    [a.entry_id, aside],
    [b.entry_id, a.entry_id],
    [aside, b.entry_id],
  ]) {
    await db.query(`UPDATE ${table} SET ${column} = $2 WHERE ${column} = $1`, [from, to]);
  }
}

function oneBitOther(bytes: Buffer, random: SeededRandom): Buffer {
  const other = Buffer.from(bytes);
  const at = random.between(0, bytes.length - 1);
  other[at] = (other[at] ?? 0) ^ (1 << random.between(0, 7));
  return other;
}

/** Two different ones, in their order. */
function two<T>(random: SeededRandom, from: readonly T[]): readonly [T, T] {
  const a = random.between(0, from.length - 2);
  const b = random.between(a + 1, from.length - 1);
  return [from[a]!, from[b]!];
}
