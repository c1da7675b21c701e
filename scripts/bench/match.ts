/** The statement that chooses a mentor and takes a place: among ten, a thousand and ten thousand. */
import { randomUUID } from 'node:crypto';
import { Pool } from 'pg';
import { reserveBest } from '../../db/mentor-match';
import { releaseAllSlots } from '../../db/mentor-slots';
import { defaultScorer } from '../../domain/match-scorers';
import type { BenchGround } from './ground';
import type { BenchGroup, Effort } from './group';
import { manyMentors } from './many-mentors';
import { percentile } from './rounds';
import { type BenchRow, rowOf } from './rows';

const SIZES = [10, 1_000, 10_000] as const;
/** A third of all mentors is on shift at any time: more than there ever are. */
const EVERY = 3;
const MATCHES = 200;

export const matchGroup: BenchGroup = { name: 'match', run: { needs: 'ground', measure } };

async function measure({ isQuick }: Effort, ground: BenchGround): Promise<BenchRow[]> {
  const pool = new Pool({ connectionString: ground.env['DATABASE_URL'], max: 1 });
  const rows: BenchRow[] = [];
  try {
    let made = 0;
    // To see that it runs, ten thousand are too long in coming.
    for (const size of isQuick ? SIZES.slice(0, 2) : SIZES) {
      await manyMentors(ground.owner, size - made, EVERY, made);
      made = size;
      const times = await timesOf(pool, ground.owner, isQuick ? 5 : MATCHES);
      for (const percent of [50, 99] as const) {
        const name = `a mentor chosen and reserved among ${size.toLocaleString('en')} (p${percent})`;
        rows.push(rowOf({ name, unit: 'ms', ours: percentile(times, percent) }));
      }
    }
  } finally {
    await pool.end();
    // Nobody of them is to be rung by what is measured next.
    await ground.owner.query(`UPDATE mentors SET deleted_at = now() WHERE specialties[1] LIKE 'topic-%'`);
  }
  return rows;
}

/** One client, one match after the other; each place is given back before the next. */
async function timesOf(pool: Pool, owner: Pool, count: number): Promise<number[]> {
  const callId = randomUUID();
  // Opened later: no sweep looks after a call that has not begun.
  await owner.query(
    `INSERT INTO call_logs (call_id, workflow_id, user_id, record_id, number_is_for_this_call_only, country, language,
       organisation_number, status, live, request_hash, consent_version, consent_language, may_call_back, preferences, requested_at, opened_at)
     SELECT $1, 'bench', subject_id, record_id, false, 'US', 'en', '+14155550100', 'bench', true, 'x', '1', 'en', false, '{}', now(), now() + interval '1 hour'
       FROM vault_records LIMIT 1`,
    [callId],
  );
  const preferences = { languages: ['es', 'en'], specialties: ['topic-3', 'topic-7'] };
  const times: number[] = [];
  for (let step = 1; step <= count; step += 1) {
    const began = performance.now();
    const { mentorId } = await reserveBest(
      pool,
      { callId, step, leaseMs: 60_000, preferences, country: 'US', exclude: [] },
      defaultScorer(),
    );
    if (mentorId === null) throw new Error('Nobody was found among mentors of whom a third is on shift');
    // The first ones are parsed and planned.
    if (step > count / 10) times.push(performance.now() - began);
    await releaseAllSlots(pool, callId, null);
  }
  await owner.query(`UPDATE call_logs SET live = false, outcome = 'completed', ended_at = now() WHERE call_id = $1`, [
    callId,
  ]);
  return times;
}
