/** Mentors: who they are (as vault records), when and for what they can be rung, and how many calls they take. */
import type { Pool } from 'pg';
import { z } from 'zod';
import type { AvailabilityWindow } from '../domain/availability';
import { appendAudit } from './audit';
import { cursorTime, decodeCursor, type Page, toPage } from './cursor';
import { expandShifts } from './mentor-shifts';
import { isHeld } from './legal-holds';
import { fitSlots } from './mentor-slots';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne, one } from './query';
import { destroyRecord } from './vault-rows';

/** A mentor is when and for what they can be rung, and where name and number are sealed. */
export interface Mentor {
  readonly mentorId: string;
  readonly subjectId: string;
  readonly nameRecordId: string;
  readonly phoneRecordId: string;
  readonly country: string;
  readonly specialties: readonly string[];
  readonly languages: readonly string[];
  /** IANA. */
  readonly zone: string;
  readonly windows: readonly AvailabilityWindow[];
  /** The mentor's own switch. */
  readonly available: boolean;
  readonly maxConcurrentCalls: number;
  readonly currentCalls: number;
  readonly lastCalledAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  /** Counts changes from 1; an edit names the one it was made from. */
  readonly version: number;
}

export interface NewMentor {
  readonly subjectId: string;
  readonly nameRecordId: string;
  readonly phoneRecordId: string;
  readonly phoneToken: Buffer;
  readonly country: string;
  readonly specialties: readonly string[];
  readonly languages: readonly string[];
  /** IANA. */
  readonly zone: string;
  readonly available: boolean;
  readonly maxConcurrentCalls: number;
  readonly windows: readonly AvailabilityWindow[];
}

/** The version an edit was made from; `any`: whatever it is now. */
export type ExpectedVersion = readonly number[] | 'any';

/** What is left out stays. A new name or number is sealed first and given here as its record. */
export type MentorPatch = {
  readonly [Field in keyof Omit<NewMentor, 'subjectId'>]?: NewMentor[Field] | undefined;
};

const windowRow = z.object({ weekday: z.int(), starts: z.string(), ends: z.string() });
const mentorRow = z
  .object({
    mentor_id: z.uuid(),
    subject_id: z.uuid(),
    name_record_id: z.uuid(),
    phone_record_id: z.uuid(),
    country: z.string(),
    specialties: z.array(z.string()),
    languages: z.array(z.string()),
    zone: z.string(),
    available: z.boolean(),
    max_concurrent_calls: z.int(),
    current_calls: z.int(),
    last_called_at: z.date().nullable(),
    created_at: z.date(),
    updated_at: z.date(),
    version: z.int(),
    windows: z.array(windowRow),
    cursor_at: z.string(),
  })
  .readonly();
type MentorRow = z.output<typeof mentorRow>;

const SELECT_MENTOR = `
  SELECT m.mentor_id, m.subject_id, m.name_record_id, m.phone_record_id, m.country, m.specialties, m.languages, m.zone,
         m.available, m.max_concurrent_calls, c.current_calls, m.last_called_at, m.created_at, m.updated_at, m.version,
         ${cursorTime('m.created_at')} AS cursor_at,
         coalesce((SELECT jsonb_agg(jsonb_build_object('weekday', w.weekday, 'starts', to_char(w.starts, 'HH24:MI'),
                                                       'ends', to_char(w.ends, 'HH24:MI'))
                                    ORDER BY w.weekday, w.starts, w.ends)
                     FROM mentor_windows w WHERE w.mentor_id = m.mentor_id), '[]'::jsonb) AS windows
    FROM mentors m JOIN mentor_current_calls c USING (mentor_id)
   WHERE m.deleted_at IS NULL`;

/** Enters a mentor with places and windows. Run it in a transaction, after the two records are sealed. */
export async function createMentor(tx: Db, input: NewMentor, actor: string): Promise<Mentor> {
  const { mentor_id: mentorId } = await one(
    tx,
    z.object({ mentor_id: z.uuid() }),
    `INSERT INTO mentors (subject_id, name_record_id, phone_record_id, phone_token, country, specialties, languages,
                          zone, available, max_concurrent_calls)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING mentor_id`,
    [
      input.subjectId,
      input.nameRecordId,
      input.phoneRecordId,
      input.phoneToken,
      input.country,
      input.specialties,
      input.languages,
      input.zone,
      input.available,
      input.maxConcurrentCalls,
    ],
  );
  await fitSlots(tx, mentorId, input.maxConcurrentCalls);
  await replaceWindows(tx, mentorId, input.windows);
  await expandShifts(tx, mentorId);
  await appendAudit(tx, { actor, action: 'mentor.created', objectId: mentorId, outcome: 'done' });
  return toMentor(await one(tx, mentorRow, `${SELECT_MENTOR} AND m.mentor_id = $1`, [mentorId]));
}

/**
 * Changes a mentor. A replaced name or number is destroyed. Fewer places take effect when running calls are over.
 * @returns null when there is no such mentor; `stale` when somebody else has changed it since: then nothing changes,
 *   and what was sealed for this patch is destroyed
 */
export async function updateMentor(
  pool: Pool,
  mentorId: string,
  patch: MentorPatch,
  actor: string,
  expected: ExpectedVersion = 'any',
): Promise<Mentor | 'stale' | null> {
  return await inTransaction(pool, async (tx) => {
    const before = await lockedMentor(tx, mentorId);
    if (before === null || !isExpected(before.version, expected)) {
      for (const recordId of [patch.nameRecordId, patch.phoneRecordId]) {
        if (recordId !== undefined) await destroyRecord(tx, recordId, { reason: 'replaced', actor });
      }
      return before === null ? null : 'stale';
    }
    await execute(
      tx,
      `UPDATE mentors
          SET name_record_id = coalesce($2, name_record_id), phone_record_id = coalesce($3, phone_record_id),
              phone_token = coalesce($4, phone_token), country = coalesce($5, country),
              specialties = coalesce($6, specialties), languages = coalesce($7, languages), zone = coalesce($8, zone),
              available = coalesce($9, available), max_concurrent_calls = coalesce($10, max_concurrent_calls),
              updated_at = clock_timestamp(), version = version + 1
        WHERE mentor_id = $1`,
      [
        mentorId,
        patch.nameRecordId,
        patch.phoneRecordId,
        patch.phoneToken,
        patch.country,
        patch.specialties,
        patch.languages,
        patch.zone,
        patch.available,
        patch.maxConcurrentCalls,
      ],
    );
    const replaced = { reason: 'replaced', actor } as const;
    if (patch.nameRecordId !== undefined && patch.nameRecordId !== before.name_record_id) {
      await destroyRecord(tx, before.name_record_id, replaced);
    }
    if (patch.phoneRecordId !== undefined && patch.phoneRecordId !== before.phone_record_id) {
      await destroyRecord(tx, before.phone_record_id, replaced);
    }
    if (patch.maxConcurrentCalls !== undefined) await fitSlots(tx, mentorId, patch.maxConcurrentCalls);
    if (patch.windows !== undefined) await replaceWindows(tx, mentorId, patch.windows);
    if (patch.windows !== undefined || patch.zone !== undefined) await expandShifts(tx, mentorId);
    await appendAudit(tx, { actor, action: 'mentor.changed', objectId: mentorId, outcome: 'done' });
    return toMentor(await one(tx, mentorRow, `${SELECT_MENTOR} AND m.mentor_id = $1`, [mentorId]));
  });
}

/**
 * The mentor's own switch, for the next match; whoever is in a call goes on. May be repeated.
 * @returns null when there is no such mentor
 */
export async function setAvailability(
  pool: Pool,
  mentorId: string,
  available: boolean,
  actor: string,
): Promise<Mentor | null> {
  return await inTransaction(pool, async (tx) => {
    const changed = await execute(
      tx,
      `UPDATE mentors SET available = $2, updated_at = clock_timestamp(), version = version + 1
        WHERE mentor_id = $1 AND available <> $2 AND deleted_at IS NULL`,
      [mentorId, available],
    );
    const purpose = available ? 'on' : 'off';
    const entry = {
      actor,
      action: 'mentor.availability-changed',
      objectId: mentorId,
      purpose,
      outcome: 'done',
    } as const;
    if (changed > 0) await appendAudit(tx, entry);
    return await getMentor(tx, mentorId);
  });
}

/**
 * Takes a mentor off the list and destroys name and number; the row stays for the calls that name it. A call that is
 * running goes on to its end.
 * @returns null when there is no such mentor, `stale` when somebody else has changed it since, `held` while a legal hold
 *   keeps what is held of them
 */
export async function deleteMentor(
  pool: Pool,
  mentorId: string,
  actor: string,
  expected: ExpectedVersion = 'any',
): Promise<'deleted' | 'stale' | 'held' | null> {
  return await inTransaction(pool, async (tx) => {
    const subjects = await subjectsOfMentor(tx, mentorId);
    const gone = await lockedMentor(tx, mentorId);
    if (gone === null) return null;
    if (!isExpected(gone.version, expected)) return 'stale';
    for (const subjectId of subjects) {
      if (!(await isHeld(tx, subjectId))) continue;
      await appendAudit(tx, { actor, action: 'mentor.deleted', objectId: mentorId, outcome: 'refused' });
      return 'held';
    }
    await execute(
      tx,
      `UPDATE mentors SET deleted_at = clock_timestamp(), available = false, phone_token = NULL, version = version + 1
        WHERE mentor_id = $1`,
      [mentorId],
    );
    await replaceWindows(tx, mentorId, []);
    await execute(tx, 'DELETE FROM mentor_exceptions WHERE mentor_id = $1', [mentorId]);
    await expandShifts(tx, mentorId);
    for (const recordId of [gone.name_record_id, gone.phone_record_id]) {
      await destroyRecord(tx, recordId, { reason: 'mentor-deleted', actor });
    }
    await appendAudit(tx, { actor, action: 'mentor.deleted', objectId: mentorId, outcome: 'done' });
    return 'deleted';
  });
}

/**
 * As whom a mentor is known: on the list, and where they sign in. The lock is what whoever places a hold waits for; it is
 * taken before that of the mentor, as an erasure does.
 */
async function subjectsOfMentor(tx: Db, mentorId: string): Promise<string[]> {
  const rows = await many(
    tx,
    z.object({ subject_id: z.uuid() }),
    `SELECT s.subject_id FROM subjects s
      WHERE s.subject_id IN (SELECT unnest(ARRAY[subject_id, account_subject_id]) FROM mentors WHERE mentor_id = $1)
      ORDER BY s.subject_id FOR SHARE`,
    [mentorId],
  );
  return rows.map(({ subject_id: subjectId }) => subjectId);
}

/** Until the transaction ends nobody else edits this mentor; calls go on. */
function lockedMentor(tx: Db, mentorId: string) {
  return maybeOne(
    tx,
    z.object({ name_record_id: z.uuid(), phone_record_id: z.uuid(), version: z.int() }),
    `SELECT name_record_id, phone_record_id, version FROM mentors
      WHERE mentor_id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE`,
    [mentorId],
  );
}

function isExpected(version: number, expected: ExpectedVersion): boolean {
  return expected === 'any' || expected.includes(version);
}

/** The whole list of windows, in place of the one before. */
export async function replaceWindows(tx: Db, mentorId: string, windows: readonly AvailabilityWindow[]): Promise<void> {
  await execute(tx, 'DELETE FROM mentor_windows WHERE mentor_id = $1', [mentorId]);
  for (const { weekday, starts, ends } of windows) {
    await execute(
      tx,
      'INSERT INTO mentor_windows (mentor_id, weekday, starts, ends) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING',
      [mentorId, weekday, starts, ends],
    );
  }
}

/** The mentor, or null when there is none or it was deleted. */
export async function getMentor(db: Db, mentorId: string): Promise<Mentor | null> {
  const row = await maybeOne(db, mentorRow, `${SELECT_MENTOR} AND m.mentor_id = $1`, [mentorId]);
  return row === null ? null : toMentor(row);
}

/** All mentors, oldest first, a page at a time. A cursor that is not ours starts from the beginning. */
export async function listMentors(db: Db, limit: number, cursor?: string | null): Promise<Page<Mentor>> {
  const after = cursor == null ? null : decodeCursor(cursor);
  const rows = await many(
    db,
    mentorRow,
    `${SELECT_MENTOR} AND ($2::timestamptz IS NULL OR (m.created_at, m.mentor_id) > ($2::timestamptz, $3::uuid))
      ORDER BY m.created_at, m.mentor_id LIMIT $1`,
    [limit + 1, after?.at ?? null, after?.id ?? null],
  );
  return toPage(rows, limit, (row) => row.mentor_id, toMentor);
}

/** The mentor with this number, under any live version of the token key: for calls to our own numbers. */
export async function findMentorByToken(db: Db, tokens: readonly Buffer[]): Promise<string | null> {
  const row = await maybeOne(
    db,
    z.object({ mentor_id: z.uuid() }),
    'SELECT mentor_id FROM mentors WHERE phone_token = ANY($1) AND deleted_at IS NULL LIMIT 1',
    [tokens],
  );
  return row?.mentor_id ?? null;
}

function toMentor(row: MentorRow): Mentor {
  return {
    mentorId: row.mentor_id,
    subjectId: row.subject_id,
    nameRecordId: row.name_record_id,
    phoneRecordId: row.phone_record_id,
    country: row.country,
    specialties: row.specialties,
    languages: row.languages,
    zone: row.zone,
    available: row.available,
    maxConcurrentCalls: row.max_concurrent_calls,
    currentCalls: row.current_calls,
    lastCalledAt: row.last_called_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
    windows: row.windows,
  };
}
