import { z } from 'zod';
import { PROVIDER_LINES, type ProviderLine } from './provider-lines';
import { type Db, many } from './query';
import { SWITCHES, type SwitchName } from './switches';

/** What keeps us from sending, by the database alone: nothing in it says more than that all is open. */
export interface SendingObstacles {
  readonly stopped: readonly { readonly line: ProviderLine; readonly since: Date; readonly code: string | null }[];
  readonly switchedOff: readonly SwitchName[];
}

export const obstacleRow = z.union([
  z.object({
    what: z.literal('line'),
    name: z.enum(PROVIDER_LINES),
    since: z.coerce.date(),
    code: z.string().nullable(),
  }),
  z.object({ what: z.literal('switch'), name: z.enum(SWITCHES) }),
]);

/** Stopped lines and switches that are off, in one statement. */
export const OBSTACLES = `
  SELECT 'line' AS what, line AS name, stopped_at AS since, code FROM provider_lines WHERE stopped_at IS NOT NULL
   UNION ALL
  SELECT 'switch', name, changed_at, NULL FROM switches WHERE NOT is_on`;

export async function sendingObstacles(db: Db): Promise<SendingObstacles> {
  return obstaclesOf(await many(db, obstacleRow, OBSTACLES));
}

export function obstaclesOf(rows: readonly z.output<typeof obstacleRow>[]): SendingObstacles {
  return {
    stopped: rows.flatMap((row) => (row.what === 'line' ? [{ line: row.name, since: row.since, code: row.code }] : [])),
    switchedOff: rows.flatMap((row) => (row.what === 'switch' ? [row.name] : [])),
  };
}
