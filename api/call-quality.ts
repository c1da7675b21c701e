import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { type CallQuality, findCallQuality } from '../db/call-quality';
import { findCall } from '../db/calls';
import type { callQualityShape } from './call-quality-shapes';
import { checkedId } from './checked-input';
import type { ApiDeps } from './deps';
import { Problem } from './problems';
import type { Routes } from './routes';

/** How a call went, in figures; for admins, and that they looked is kept. */
export function callQuality(routes: Routes, { pool }: ApiDeps): void {
  routes.signedIn('GET /mentor-calls/:callId/quality', async (req, res, caller) => {
    const callId = checkedId(req, 'callId');
    if ((await findCall(pool, callId)) === null) throw new Problem('not-found');
    const noted = await findCallQuality(pool, callId);
    await appendAudit(pool, {
      actor: caller.subjectId,
      action: 'mentor-call.read',
      objectId: callId,
      outcome: 'done',
    });
    const answer: z.input<typeof callQualityShape> = { callId, quality: noted === null ? null : shown(noted) };
    res.json(answer);
  });
}

function shown(quality: CallQuality): NonNullable<z.input<typeof callQualityShape>['quality']> {
  const { insights } = quality;
  return {
    endedAt: quality.endedAt.toISOString(),
    msToAnswer: quality.msToAnswer,
    msToMentor: quality.msToMentor,
    mentorsRung: quality.mentorsRung,
    bridgeSeconds: quality.bridgeSeconds,
    reconnections: quality.reconnections,
    ringBacks: quality.ringBacks,
    linesLost: quality.linesLost,
    endedFirst: quality.endedFirst,
    userPostDialDelayMs: quality.userPostDialDelayMs,
    mentorPostDialDelayMs: quality.mentorPostDialDelayMs,
    userSipCode: quality.userSipCode,
    mentorSipCode: quality.mentorSipCode,
    insights: { user: insights.user ?? null, mentor: insights.mentor ?? null },
    insightsDueAt: quality.insightsDueAt?.toISOString() ?? null,
  };
}
