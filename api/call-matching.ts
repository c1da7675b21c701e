import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { findCall } from '../db/calls';
import { matchesOfCall } from '../db/match-reasons';
import { checkedId } from './checked-input';
import type { ApiDeps } from './deps';
import type { callMatches } from './call-matching-shapes';
import { Problem } from './problems';
import type { Routes } from './routes';

type Step = Awaited<ReturnType<typeof matchesOfCall>>[number];

/** Why this mentor, and why not another: for admins, each look audited. */
export function callMatching(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /mentor-calls/:callId/matching', async (req, res, caller) => {
    const callId = checkedId(req, 'callId');
    if ((await findCall(deps.pool, callId)) === null) throw new Problem('not-found');
    const actor = caller.subjectId;
    await appendAudit(deps.pool, { actor, action: 'mentor-call.matching-read', objectId: callId, outcome: 'done' });
    const answer: z.input<typeof callMatches> = { callId, steps: (await matchesOfCall(deps.pool, callId)).map(shown) };
    res.json(answer);
  });
}

function shown({ step, mentor_id: mentorId, at, why, times, result, reasons }: Step) {
  return {
    step,
    mentorId,
    at: at.toISOString(),
    why,
    times,
    result,
    reasons:
      reasons === null
        ? null
        : {
            ...reasons,
            chosen: reasons.chosen === null ? null : { ...reasons.chosen, ...calledAt(reasons.chosen) },
            others: reasons.others.map((other) => ({ ...other, ...calledAt(other) })),
          },
  };
}

function calledAt({ lastCalledAt }: { readonly lastCalledAt: Date | null }) {
  return { lastCalledAt: lastCalledAt?.toISOString() ?? null };
}
