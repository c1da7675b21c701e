import type { Response } from 'express';
import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { readPolicy, setPolicy, type VersionedPolicy } from '../db/escalation-policies';
import { inTransaction } from '../db/pool';
import { addresseesOf, isGone } from '../db/wellbeing-addressees';
import { escalationDocument } from '../domain/escalation-document';
import { type EscalationPolicy, policyFaults } from '../domain/escalation-policy';
import { checkedBody } from './checked-input';
import type { ApiDeps } from './deps';
import { entityTag, expectedVersion } from './entity-tags';
import { Problem } from './problems';
import type { Routes } from './routes';
import { dryRun, type dryRunResult, type policyShape } from './wellbeing-shapes';

/** Who is asked in an alert, as the organisation wants it; and what that would come to for somebody. */
export function escalationPolicy(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /api/escalation-policy', async (_req, res) => {
    send(res, await readPolicy(deps.pool));
  });

  routes.signedIn('PUT /api/escalation-policy', async (req, res, caller) => {
    const expected = expectedVersion(req);
    const policy = checkedBody(escalationDocument, req);
    checkPolicy(policy, '#');
    const set = await inTransaction(deps.pool, (tx) => setPolicy(tx, policy, expected, caller.subjectId));
    if (set === null) throw new Problem('stale-version');
    send(res, set);
  });

  routes.signedIn('POST /api/escalation-policy/dry-run', async (req, res, caller) => {
    const { userId, policy: given } = checkedBody(dryRun, req);
    if (given !== undefined) checkPolicy(given, '#/policy');
    if (await isGone(deps.pool, userId)) throw new Problem('not-found');
    const policy = given ?? (await readPolicy(deps.pool)).policy;
    const actor = caller.subjectId;
    await appendAudit(deps.pool, { actor, action: 'escalation-policy.tried', objectId: userId, outcome: 'done' });
    res.json(await timelineOf(deps, userId, policy));
  });
}

/** @throws {Problem} `policy-invalid` */
function checkPolicy(policy: EscalationPolicy, at: string): void {
  const errors = policyFaults(policy).map(({ pointer, detail }) => ({ pointer: `${at}${pointer}`, detail }));
  if (errors.length > 0) throw new Problem('policy-invalid', { errors });
}

/** As the workflow goes, with nobody who answers. Counts only: who somebody's buddies are is theirs. */
async function timelineOf(
  { pool, config }: ApiDeps,
  userId: string,
  { steps, closesAfterMinutes }: EscalationPolicy,
): Promise<z.input<typeof dryRunResult>> {
  const timeline: z.input<typeof dryRunResult>['timeline'] = [];
  const asked: string[] = [];
  let minutes = 0;
  let isWaited = true;
  for (const [index, step] of steps.entries()) {
    const { who, channel, afterMinutes } = step;
    if (isWaited) minutes += afterMinutes;
    const found = await addresseesOf(pool, userId, step, asked, config.wellbeing.escalation);
    isWaited = !('nobody' in found);
    if ('buddies' in found) asked.push(...found.buddies);
    timeline.push({
      position: index + 1,
      who,
      channel,
      atMinutes: isWaited ? minutes : null,
      addressees: 'buddies' in found ? found.buddies.length : 'others' in found ? found.others : 0,
      skippedBecause: 'nobody' in found ? found.nobody : null,
    });
  }
  const isAsked = timeline.some(({ atMinutes }) => atMinutes !== null);
  return { timeline, closesAtMinutes: isAsked ? minutes + closesAfterMinutes : minutes };
}

function send(res: Response, { version, policy, setAt }: VersionedPolicy): void {
  const steps = policy.steps.map((step) => ({ ...step, answeredBy: [...step.answeredBy] }));
  const { closesAfterMinutes } = policy;
  const answer: z.input<typeof policyShape> = {
    steps,
    closesAfterMinutes,
    version,
    setAt: setAt?.toISOString() ?? null,
  };
  res.set('ETag', entityTag(version)).json(answer);
}
