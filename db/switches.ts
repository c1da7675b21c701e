/** What staff can switch off while the service runs; whatever is off in the configuration stays off. */
import { z } from 'zod';
import { appendAudit } from './audit';
import { type Db, execute, many } from './query';

export const SWITCHES = ['voice', 'sms', 'email'] as const;
export type SwitchName = (typeof SWITCHES)[number];

/** As configured: `VOICE_ENABLED`, `SMS_ENABLED`. */
export type ConfiguredSwitches = Readonly<Record<SwitchName, boolean>>;

export interface SwitchState {
  readonly name: SwitchName;
  readonly isOn: boolean;
  /** Null while nobody has ever set it. */
  readonly changedAt: Date | null;
}

const switchRow = z
  .object({ name: z.enum(SWITCHES), is_on: z.boolean(), changed_at: z.date() })
  .transform((row): SwitchState => ({ name: row.name, isOn: row.is_on, changedAt: row.changed_at }));

/** All of them as they were set, without the configuration; one that nobody has set is on. */
export async function switchStates(db: Db): Promise<SwitchState[]> {
  const set = await many(db, switchRow, 'SELECT name, is_on, changed_at FROM switches');
  return SWITCHES.map((name) => set.find((row) => row.name === name) ?? { name, isOn: true, changedAt: null });
}

/**
 * Sets a switch, with an audit entry when that changed it. Give it a transaction.
 * @returns the state now
 */
export async function setSwitch(tx: Db, name: SwitchName, isOn: boolean, actor: string): Promise<SwitchState> {
  const changed = await execute(
    tx,
    `INSERT INTO switches AS s (name, is_on) SELECT $1::text, $2::boolean
      WHERE NOT $2::boolean OR EXISTS (SELECT 1 FROM switches WHERE name = $1::text)
     ON CONFLICT (name) DO UPDATE SET is_on = excluded.is_on, changed_at = clock_timestamp()
       WHERE s.is_on <> excluded.is_on`,
    [name, isOn],
  );
  if (changed === 1) {
    const purpose = isOn ? 'on' : 'off';
    await appendAudit(tx, { actor, action: 'switch.changed', objectId: name, purpose, outcome: 'done' });
  }
  const states = await switchStates(tx);
  return states.find((state) => state.name === name) ?? { name, isOn, changedAt: null };
}
