import { request } from 'node:http';
import { createSnsReader } from '../../../providers/sns-messages';
import { SNS_TOPIC } from '../../../simulator/sns/topic';
import { type Rig, startRig } from './rig';

let rig: Rig;
beforeAll(async () => {
  rig = await startRig({});
});
afterAll(() => rig.stop());

const post = (body: unknown) =>
  fetch(`${rig.simulator.url}/simulator/sns-messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const signed = async (body: unknown) => Buffer.from(await (await post(body)).text());

describe('the SNS of the simulator', () => {
  it('signs what the service reads, and takes the confirmation of a subscription', async () => {
    const reader = createSnsReader({ topics: [SNS_TOPIC], standIn: rig.simulator.url });
    const notification = await reader.read(await signed({ Message: 'what happened' }));
    expect(notification).toMatchObject({ type: 'Notification', message: 'what happened', confirm: null });
    const fields = {
      Type: 'SubscriptionConfirmation',
      Message: 'Confirm',
      Token: 'one',
      SubscribeURL: 'https://x.example',
    };
    const confirmation = await reader.read(await signed(fields));
    await expect(confirmation?.confirm?.()).resolves.toBeUndefined();
  });

  it('is believed by nobody who believes AWS', async () => {
    const reader = createSnsReader({ topics: [SNS_TOPIC], standIn: null });
    expect(await reader.read(await signed({ Message: 'what happened' }))).toBeNull();
  });

  it.each([[{}], [[]], [{ Message: 5 }]])('refuses %j, which is no message', async (body) => {
    expect((await post(body)).status).toBe(400);
  });

  it('signs for this machine alone: not for a page whose name was rebound to it', async () => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { host: 'elsewhere.example', 'content-type': 'application/json' };
      const asked = request(`${rig.simulator.url}/simulator/sns-messages`, { method: 'POST', headers }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      asked.once('error', reject).end('{"Message":"x"}');
    });
    expect(status).toBe(403);
  });
});
