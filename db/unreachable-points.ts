/** Saved numbers that nothing can reach, because Twilio says that there is no such number (class `bad-destination`). */
import { type Db, execute } from './query';

/**
 * Marks every contact point with this number. The first time stays; a point whose owner has answered a code since is
 * left alone. Something may still be sent there when the person has no other point: numbers come into use.
 * @param code Twilio's, e.g. `21211`
 * @param askedAt when what failed was asked for; null: just now
 */
export async function noteUnreachable(
  db: Db,
  recipientToken: Buffer,
  code: string,
  askedAt: Date | null = null,
): Promise<void> {
  await execute(
    db,
    `UPDATE contact_points SET unreachable_since = clock_timestamp(), unreachable_code = $2
      WHERE token = $1 AND deleted_at IS NULL AND unreachable_since IS NULL
        AND (verified_at IS NULL OR $3::timestamptz IS NULL OR verified_at < $3)`,
    [recipientToken, code, askedAt],
  );
}
