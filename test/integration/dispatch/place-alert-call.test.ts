/** The calls of alerts: what the claim of each asks, whatever was true when the alert was asked for. */
import { randomUUID } from 'node:crypto';
import { createPlaceAlertCall, type PlaceAlertCall } from '../../../activities/place-alert-call';
import { openAlert } from '../../../db/alerts';
import { createSubject } from '../../../db/subjects';
import { alertLegKey } from '../../../domain/voice-alert';
import { voiceAlertWorkflowId } from '../../../domain/voice-alert';
import { alertRecipient, voiceAlertInput } from '../../voice-alert-input';
import { DispatchWorld, once, OUR_NUMBERS } from './dispatch-world';

const MINUTE = 60_000;
const STEPS = [{ count: 2, withinMs: 15 * MINUTE }];

let world: DispatchWorld;
beforeAll(async () => {
  world = await DispatchWorld.open();
});
afterAll(() => world.end());

/** An alert to a phone nobody has rung yet, or to one of another alert; each call of it is the next try. */
async function alertTo(somebody: Awaited<ReturnType<DispatchWorld['somebody']>>) {
  const { recordId, recipientToken } = somebody.asked;
  const subjectId = await createSubject(world.db.app, 'system');
  const content = { templateId: null, templateVersion: null, recordId };
  const recipient = alertRecipient({ subjectId, recordId, recipientToken, content });
  const input = voiceAlertInput({ requestedBy: subjectId, recipients: [recipient] });
  await openAlert(world.db.app, input);
  const { alertId } = input;
  let attempt = 0;
  return () => {
    attempt += 1;
    const ids = { alertId, legId: randomUUID(), position: 1, attempt, workflowId: voiceAlertWorkflowId(alertId) };
    const businessKey = alertLegKey(alertId, 1, attempt);
    const asked: PlaceAlertCall = {
      ...recipient,
      ...input,
      ...ids,
      businessKey,
      from: OUR_NUMBERS[0],
      ringSeconds: 30,
    };
    const recipientLimits = { ordinary: STEPS, safety: [] };
    return once((ask: PlaceAlertCall) => createPlaceAlertCall({ ...world.deps, recipientLimits })(ask), asked, null)
      .done;
  };
}

it('do not ring a phone oftener than a recipient may be reached, by however many alerts', async () => {
  const somebody = await world.somebody();
  const [first, second] = [await alertTo(somebody), await alertTo(somebody)];
  await first();
  await second();
  for (const ring of [first, second]) {
    const held: unknown = await ring().catch((error: unknown) => error);
    expect(held).toMatchObject({ type: 'DispatchNotYet' });
    // The alert gives the try up long before its turn: it must not wait so long to learn that nothing has left.
    expect(Reflect.get(Object(held), 'nextRetryDelay')).toBeLessThanOrEqual(5_000);
  }
  expect(await world.rings(somebody.number)).toHaveLength(2);
  // Somebody else's phone is nobody's turn but theirs.
  const another = await world.somebody();
  await (await alertTo(another))();
  expect(await world.rings(another.number)).toHaveLength(1);
});
