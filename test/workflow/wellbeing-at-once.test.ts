/**
 * A signal that meets the end of its run can leave the server of the tests counting a task that nobody finishes, and it
 * skips no time from then on: so this has a server of its own.
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
