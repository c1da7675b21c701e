/**
 * The second signal may meet the end of its run. The server of the tests was seen to skip no time any more after it, so
 * this has one of its own.
 */
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

it('hears two at the same moment: the first decides, the second is over too', async () => {
  const alert = await rig.alert();
  await alert.asked(1);
  await Promise.all([alert.answers(1, 1, 'messaged'), alert.answers(1, 2, 'called')]);
  expect(await alert.result()).toEqual({ state: 'answered', endReason: 'answered' });
  expect(alert.world.closed).toHaveLength(1);
  expect(['messaged', 'called']).toContain(alert.world.closed[0]?.decision?.response);
  for (const { asks } of alert.world.ended) expect(asks).toHaveLength(2);
});
