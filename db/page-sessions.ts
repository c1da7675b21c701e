/** Sessions of the pages that somebody has ended before their time. */
import { type Db, execute } from './query';

/**
 * From now on this session is over, also for whoever has a copy of its cookie. May be repeated.
 * @param sessionHash 32 bytes, keyed
 */
export async function endPageSession(db: Db, sessionHash: Buffer, expiresAt: Date): Promise<void> {
  // What would have ended by itself needs no row any more.
  await execute(db, 'DELETE FROM ended_page_sessions WHERE expires_at < clock_timestamp()');
  await execute(
    db,
    'INSERT INTO ended_page_sessions (session_hash, expires_at) VALUES ($1, $2) ON CONFLICT (session_hash) DO NOTHING',
    [sessionHash, expiresAt],
  );
}

/** Whether somebody has signed out of it. */
export async function isPageSessionEnded(db: Db, sessionHash: Buffer): Promise<boolean> {
  return (await execute(db, 'SELECT 1 FROM ended_page_sessions WHERE session_hash = $1', [sessionHash])) > 0;
}
