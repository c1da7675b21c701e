import { buddyVerificationWorkflowId, checkInWorkflowId } from '../../domain/buddies';
import { wellbeingAlertWorkflowId } from '../../domain/wellbeing-alert';
import { tokensInTexts } from '../buddy-links';
import { eventually, type TestStack } from '../stack';
import type { AnsweredAlert, BuddiesOfRound, Buddy, Circle } from './buddies';
import { isTokenOf, rows, until } from './kill-stack';

/** One e-mail an invitation, one text a check-in, and rows and workflows that say the same of how each has ended. */
export async function buddyFaults(stack: TestStack, done: BuddiesOfRound, circle: Circle): Promise<string[]> {
  const { accepted, declined } = done;
  const isSettled = async () => (await unsettled(stack, done)).length === 0;
  await until('buddies to settle', 45_000, isSettled).catch(() => undefined);
  const faults = await unsettled(stack, done);
  faults.push(...(await invitationFaults(stack, accepted, 'verified')));
  faults.push(...(await invitationFaults(stack, declined, 'declined')));
  const phones = new Map([accepted, ...circle.buddies].map(({ buddyId, phone }) => [buddyId, phone]));
  for (const row of await checkInsOf(stack, done)) faults.push(...(await textFaultsOf(stack, row, phones)));
  faults.push(...(await answerFaults(stack, done)), ...(await alertFaultsOf(stack, done)));
  return faults;
}

const CHECK_INS = `
  SELECT r.*, m.state AS message_state, m.live AS is_on_its_way FROM buddy_check_in_requests r LEFT JOIN messages m USING (message_id)
   WHERE r.request_id = $1 OR r.alert_id = $2`;

function checkInsOf(stack: TestStack, { checkIn, alert }: BuddiesOfRound): Promise<Record<string, unknown>[]> {
  return rows(stack, CHECK_INS, [checkIn.requestId, alert.alertId]);
}

/** What is still on its way to its end; each as a sentence, which is a fault when it stays so. */
async function unsettled(stack: TestStack, done: BuddiesOfRound): Promise<string[]> {
  const open: string[] = [];
  const untold = await rows(stack, 'SELECT buddy_id FROM buddy_contacts WHERE is_end_untold');
  if (untold.length > 0) open.push(`the ends of ${untold.length} buddies are untold`);
  const live = await rows(
    stack,
    // No mail server says that an e-mail has arrived: it is over when its time is.
    `SELECT message_id, state FROM messages
      WHERE live AND requested_by = ANY($1::uuid[]) AND NOT (channel = 'email' AND state = 'sent')`,
    [done.userIds],
  );
  open.push(...live.map(({ message_id: id, state }) => `message ${String(id)} of a buddy is still ${String(state)}`));
  for (const { buddyId } of [done.accepted, done.declined]) {
    const status = await statusOf(stack, buddyVerificationWorkflowId(buddyId));
    if (status !== 'COMPLETED') open.push(`the verification of ${buddyId} is ${status}`);
  }
  const alert = await statusOf(stack, wellbeingAlertWorkflowId(done.alert.alertId));
  if (alert !== 'COMPLETED') open.push(`alert ${done.alert.alertId} is ${alert}`);
  for (const row of await checkInsOf(stack, done)) {
    const status = await statusOf(stack, checkInWorkflowId(String(row['request_id'])));
    const wanted = row['closed_at'] === null ? 'RUNNING' : 'COMPLETED';
    if (status !== wanted)
      open.push(`check-in ${String(row['request_id'])} is ${status}, its row ${String(row['state'])}`);
  }
  return open;
}

function statusOf(stack: TestStack, workflowId: string): Promise<string> {
  return eventually(
    async () => (await stack.temporal.workflow.getHandle(workflowId).describe()).status.name,
    60_000,
    100,
  );
}

/** One that went out twice because nobody could know has the same Message-ID: mail programs show it once. */
async function invitationFaults(stack: TestStack, { buddyId, email }: Buddy, status: string): Promise<string[]> {
  const invitations = await rows(stack, 'SELECT * FROM buddy_invitations WHERE buddy_id = $1 AND counts', [buddyId]);
  const mails = new Set((await stack.sim.mailbox(email)).map(({ messageId }) => messageId));
  const [row] = await rows(stack, 'SELECT verified, declined_at, is_active FROM buddy_contacts WHERE buddy_id = $1', [
    buddyId,
  ]);
  const events = await rows(stack, 'SELECT event FROM buddy_verification_audit WHERE buddy_id = $1 ORDER BY event', [
    buddyId,
  ]);
  const isVerified = row?.['verified'] === true && row['is_active'] === true;
  const isDeclined = row?.['declined_at'] !== null && row?.['is_active'] === false;
  const kept = events.map(({ event }) => String(event)).join(', ');
  const wanted = status === 'verified' ? 'accepted, sent' : 'declined, sent';
  return [
    ...(mails.size === 1 && invitations.length === 1 ? [] : [`${mails.size} mails, ${invitations.length} invitations`]),
    ...((status === 'verified' ? isVerified : isDeclined) ? [] : [`its row is ${JSON.stringify(row)}`]),
    ...(kept === wanted ? [] : [`its history is ${kept}`]),
  ].map((fault) => `buddy ${buddyId}, who ${status}: ${fault}`);
}

/** One text of each, or none where it was withdrawn before it left or nobody can know. */
async function textFaultsOf(
  stack: TestStack,
  row: Record<string, unknown>,
  phones: ReadonlyMap<string, string>,
): Promise<string[]> {
  const hash = row['link_hash'];
  if (!(hash instanceof Buffer)) return ['a check-in without a link'];
  const phone = phones.get(String(row['buddy_id'])) ?? '';
  const page = row['kind'] === 'user' ? 'buddy/checkin' : 'buddy/alert';
  const texts = (await tokensInTexts(stack, phone, page)).filter((token) => isTokenOf(token, hash));
  const mayBeNone = row['response'] === null && ['ended', 'undeliverable'].includes(String(row['state']));
  if (texts.length === 1 || (texts.length === 0 && mayBeNone)) return [];
  return [`${texts.length} texts of the ${String(row['state'])} check-in ${String(row['request_id'])}`];
}

async function answerFaults(stack: TestStack, done: BuddiesOfRound): Promise<string[]> {
  const faults: string[] = [];
  const { checkIn, alert } = done;
  for (const row of await checkInsOf(stack, done)) {
    const id = String(row['request_id']);
    const isOfUser = id === checkIn.requestId && checkIn.end === 'answered';
    const wanted = isOfUser ? 'called' : (alert.answers.get(id) ?? null);
    if (row['response'] !== wanted)
      faults.push(`check-in ${id} has the answer ${String(row['response'])}, not ${wanted}`);
    if (wanted !== null && row['note_record_id'] === null) faults.push(`the note of check-in ${id} was not kept`);
    if (wanted !== null && row['link_opened_at'] === null) faults.push(`nobody has noted that ${id} was opened`);
    if (wanted !== null && row['state'] !== 'answered') faults.push(`check-in ${id} is ${String(row['state'])}`);
  }
  return faults;
}

async function alertFaultsOf(stack: TestStack, { alert }: BuddiesOfRound): Promise<string[]> {
  const [row] = await rows(stack, 'SELECT state, end_reason FROM wellbeing_alerts WHERE alert_id = $1', [
    alert.alertId,
  ]);
  const scores = await rows(stack, 'SELECT FROM wellbeing_scores WHERE event_id = ANY($1::uuid[])', [alert.eventIds]);
  const asked = alert.asked - (await buddiesNotAsked(stack, alert));
  return [
    ...(row?.['state'] === 'answered' && row['end_reason'] === 'answered' ? [] : [`it ended ${JSON.stringify(row)}`]),
    ...(scores.length === alert.eventIds.length ? [] : [`${scores.length} of its scores were kept`]),
    ...(asked >= alert.answers.size && asked <= alert.asked
      ? []
      : [`it has asked ${asked} buddies of ${alert.asked}, and ${alert.answers.size} have answered`]),
  ].map((fault) => `alert ${alert.alertId}: ${fault}`);
}

/** Nobody is asked any more once somebody has been in touch: what a blow has held up until then is not begun. */
export async function buddiesNotAsked(stack: TestStack, { alertId, asked }: AnsweredAlert): Promise<number> {
  const asks = await rows(stack, 'SELECT FROM buddy_check_in_requests WHERE alert_id = $1', [alertId]);
  return asked - asks.length;
}

/** After the last round: what could only wait has come to its end by its own time. */
export async function buddiesLeftOver(stack: TestStack): Promise<string[]> {
  const look = async (): Promise<string[]> => {
    const open = await rows(
      stack,
      `SELECT (SELECT count(*) FROM buddy_check_in_requests WHERE closed_at IS NULL)::int AS check_ins,
              (SELECT count(*) FROM wellbeing_alerts WHERE ended_at IS NULL)::int AS alerts,
              (SELECT count(*) FROM buddy_contacts WHERE is_end_untold)::int AS untold`,
    );
    const query = `ExecutionStatus = 'Running' AND WorkflowType IN ('buddyVerification', 'checkIn', 'wellbeingAlert')`;
    const { count: running } = await eventually(() => stack.temporal.workflow.count(query), 30_000, 250);
    const counts = { ...open[0], running };
    return Object.entries(counts).flatMap(([what, count]) => (count === 0 ? [] : [`${what}: ${String(count)}`]));
  };
  await until('every check-in to close', 90_000, async () => (await look()).length === 0).catch(() => undefined);
  return look();
}
