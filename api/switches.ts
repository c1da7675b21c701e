import type { z } from 'zod';
import { inTransaction } from '../db/pool';
import { type SendingObstacles, sendingObstacles } from '../db/sending-obstacles';
import { setSwitch, SWITCHES, type SwitchName, type SwitchState, switchStates } from '../db/switches';
import { checkedBody } from './checked-input';
import type { ApiDeps } from './deps';
import { Problem, type ProblemCode } from './problems';
import type { Routes } from './routes';
import { switchChange, type switchList, type switchShape } from './switches-shapes';

type SwitchBody = z.input<typeof switchShape>;

/** Calls, texts and e-mail, switched off and on by admins while the service runs. */
export function switches(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /switches', async (_req, res) => {
    const answer: z.input<typeof switchList> = {
      switches: (await switchStates(deps.pool)).map((state) => shown(deps, state)),
    };
    res.json(answer);
  });

  routes.signedIn('PUT /switches/:name', async (req, res, caller) => {
    const name = SWITCHES.find((known) => known === req.params['name']);
    if (name === undefined) throw new Problem('not-found');
    const { isOn } = checkedBody(switchChange, req);
    const state = await inTransaction(deps.pool, (tx) => setSwitch(tx, name, isOn, caller.subjectId));
    res.json(shown(deps, state));
  });
}

const OFF: Readonly<Record<SwitchName, ProblemCode>> = {
  voice: 'voice-disabled',
  sms: 'sms-disabled',
  email: 'email-disabled',
};

/**
 * @returns what else keeps us from sending: a message that is taken now waits for a stopped line
 * @throws {Problem} `voice-disabled`, `sms-disabled` or `email-disabled` while it is off, by configuration or a switch
 */
export async function refuseWhenOff(
  deps: Pick<ApiDeps, 'config' | 'pool'>,
  name: SwitchName,
): Promise<SendingObstacles> {
  if (!deps.config.enabled[name]) throw new Problem(OFF[name]);
  const obstacles = await sendingObstacles(deps.pool);
  if (obstacles.switchedOff.includes(name)) throw new Problem(OFF[name]);
  return obstacles;
}

function shown(deps: ApiDeps, { name, isOn, changedAt }: SwitchState): SwitchBody {
  const isConfigured = deps.config.enabled[name];
  return { name, isOn: isConfigured && isOn, isConfigured, changedAt: changedAt?.toISOString() ?? null };
}
