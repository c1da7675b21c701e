/** Which workflows are about a buddy: they carry the token of the user, who began them. */
import { z } from 'zod';
import { buddyVerificationWorkflowId, checkInWorkflowId } from '../domain/buddies';
import { type Db, many } from './query';

/** Of the newest check-ins no more than these. */
const MOST = 100;

/** Ids, whether they still run or not; none for whoever is nobody's buddy. @param subjectId the buddy as a person */
export async function workflowsOfBuddy(db: Db, subjectId: string): Promise<string[]> {
  const rows = await many(
    db,
    z.object({ buddy_id: z.uuid(), request_ids: z.array(z.uuid()) }),
    `SELECT b.buddy_id, ARRAY(SELECT r.request_id FROM buddy_check_in_requests r WHERE r.buddy_id = b.buddy_id
                               ORDER BY r.requested_at DESC LIMIT $2) AS request_ids
       FROM buddy_contacts b WHERE b.subject_id = $1`,
    [subjectId, MOST],
  );
  return rows.flatMap(({ buddy_id: buddyId, request_ids: requestIds }) => [
    buddyVerificationWorkflowId(buddyId),
    ...requestIds.map(checkInWorkflowId),
  ]);
}
