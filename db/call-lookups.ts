/** Small questions about mentor calls that the API asks before it answers. */
import { z } from 'zod';
import { type Db, maybeOne, one } from './query';

/** The call whose user's leg this is, or null: for callbacks of legs that no dispatch of ours made. */
export async function findCallIdBySid(db: Db, callSid: string): Promise<string | null> {
  const row = await maybeOne(db, z.object({ call_id: z.uuid() }), 'SELECT call_id FROM call_logs WHERE call_sid = $1', [
    callSid,
  ]);
  return row?.call_id ?? null;
}

/** Whether this user was ever bridged to this mentor; only then may they ask for the same one. */
export async function hasTalkedTo(db: Db, userId: string, mentorId: string): Promise<boolean> {
  const row = await one(
    db,
    z.object({ has_talked: z.boolean() }),
    `SELECT EXISTS (SELECT 1 FROM call_logs
                     WHERE user_id = $1 AND mentor_id = $2 AND bridged_at IS NOT NULL) AS has_talked`,
    [userId, mentorId],
  );
  return row.has_talked;
}

/** SID of the newest leg on which this call's user was rung, once Twilio has accepted it; null until then. */
export async function findUserLegSid(db: Db, callId: string): Promise<string | null> {
  const row = await maybeOne(
    db,
    z.object({ sid: z.string() }),
    `SELECT sid FROM dispatches WHERE call_id = $1 AND channel = 'voice' AND sid IS NOT NULL
      ORDER BY created_at DESC LIMIT 1`,
    [callId],
  );
  return row?.sid ?? null;
}
