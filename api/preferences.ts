import type { Response } from 'express';
import type { z } from 'zod';
import { stoppedNumbers } from '../db/opt-outs';
import { inTransaction } from '../db/pool';
import {
  listPolicies,
  POLICIES,
  type Policy,
  type Preferences,
  readPreferences,
  replacePreferences,
  setPolicy,
} from '../db/preferences';
import type { Caller } from './authentication';
import { checkedBody } from './checked-input';
import type { ApiDeps } from './deps';
import { entityTag, expectedVersion } from './entity-tags';
import {
  newPreferences,
  policyChange,
  type policyList,
  type policyShape,
  type preferencesShape,
} from './preferences-shapes';
import { Problem } from './problems';
import type { Routes } from './routes';

/** What somebody wants to get from us, by their own word; and the one thing an organisation may do about it. */
export function preferences(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /preferences', async (_req, res, caller) => {
    await send(deps, res, caller, await readPreferences(deps.pool, caller.subjectId));
  });

  routes.signedIn('PUT /preferences', async (req, res, caller) => {
    const body = checkedBody(newPreferences, req);
    const expected = expectedVersion(req);
    const now = await replacePreferences(deps.pool, caller.subjectId, body.preferences, expected);
    if (now === 'stale') throw new Problem('stale-version');
    await send(deps, res, caller, now);
  });

  routes.signedIn('GET /policies', async (_req, res) => {
    const answer: z.input<typeof policyList> = { policies: (await listPolicies(deps.pool)).map(shownPolicy) };
    res.json(answer);
  });

  routes.signedIn('PUT /policies/:name', async (req, res, caller) => {
    const name = POLICIES.find((known) => known === req.params['name']);
    if (name === undefined) throw new Problem('not-found');
    const { isOn } = checkedBody(policyChange, req);
    const policy = await inTransaction(deps.pool, (tx) => setPolicy(tx, name, isOn, caller.subjectId));
    res.json(shownPolicy(policy));
  });
}

async function send(deps: ApiDeps, res: Response, caller: Caller, now: Preferences): Promise<void> {
  const stopped = await stoppedNumbers(deps.pool, caller.subjectId);
  const answer: z.input<typeof preferencesShape> = {
    preferences: now.preferences.flatMap(({ kind, ...rest }) => (kind === 'automatic' ? [] : [{ kind, ...rest }])),
    stoppedNumbers: stopped.map(({ contactPointId, since }) => ({ contactPointId, since: since.toISOString() })),
  };
  res.set('ETag', entityTag(now.version)).json(answer);
}

function shownPolicy({ name, isOn, changedAt }: Policy): z.input<typeof policyShape> {
  return { name, isOn, changedAt: changedAt.toISOString() };
}
