/**
 * What meets the end of a run. The server of the tests was seen to skip no time any more after it, so this has one of its
 * own.
 */
import { randomUUID } from 'node:crypto';
import { WorkflowNotFoundError } from '@temporalio/client';
import { BUILT_IN_POLICY } from '../../domain/escalation-policy';
import { WellbeingRig } from './wellbeing-alert-rig';

let rig: WellbeingRig;
beforeAll(async () => {
  rig = await WellbeingRig.start();
});
afterAll(async () => {
  const notDeterministic = await rig.replayAll();
  await rig.stop();
  expect(notDeterministic).toEqual([]);
});

it('takes no word and no confirmation any more once it is decided, also while others are yet to be told', async () => {
  const alert = await rig.alert((world) => {
    world.nobody = { 2: 'all-asked', 3: 'not-configured', 5: 'not-configured' };
  });
  let release: () => void = () => undefined;
  const telling = jest
    .spyOn(alert.world.activities, 'endWellbeingAsks')
    .mockReturnValue(new Promise((resolve) => (release = resolve)));
  await alert.asked(1);
  for (const nth of [1, 2]) await alert.answers(1, nth, 'cannot-reach');
  await alert.asked(4);
  await alert.contact('cannot-reach');
  await alert.until(() => alert.world.done.includes(`step ${BUILT_IN_POLICY.steps.length}`));
  await alert.close('user');
  await alert.until(() => telling.mock.calls.length > 0);
  try {
    await expect(alert.contact('called')).rejects.toMatchObject({ cause: { type: 'ContactNotAsked' } });
    await expect(alert.confirm(randomUUID())).rejects.toMatchObject({ cause: { type: 'EmergencyNotWaiting' } });
  } finally {
    release();
  }
  expect(await alert.result()).toEqual({ state: 'closed', endReason: 'closed-by-user' });
});

it('hears two at the same moment: the first decides, the second is over too', async () => {
  const alert = await rig.alert();
  await alert.asked(1);
  const told = [alert.answers(1, 1, 'messaged'), alert.answers(1, 2, 'called')];
  // It may be over before the second is told.
  const late = (error: unknown) => expect(error).toBeInstanceOf(WorkflowNotFoundError);
  await Promise.all(told.map((one) => one.catch(late)));
  expect(await alert.result()).toEqual({ state: 'answered', endReason: 'answered' });
  expect(alert.world.closed).toHaveLength(1);
  expect(['messaged', 'called']).toContain(alert.world.closed[0]?.decision?.response);
  for (const { asks } of alert.world.ended) expect(asks).toHaveLength(2);
});
