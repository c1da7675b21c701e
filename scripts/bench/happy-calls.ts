/** Whole masked calls between simulated phones that answer, press 1 and hang up by themselves. */
import { SimulatorClient } from '../../simulator/client';
import { DemoApp } from '../demo-call';
import { askForCall, untilOver } from './app-calls';
import type { BenchGround } from './ground';

/** How many calls run at the same time; each needs a mentor of its own. */
export const CALLS_AT_ONCE = 2;

/**
 * Makes so many calls.
 * @returns their ids
 * @throws Error when one does not end well: it would be the figure of another story
 */
export async function makeHappyCalls(ground: BenchGround, count: number): Promise<string[]> {
  const { services } = ground.stack;
  const simulator = new SimulatorClient(services.simulatorUrl);
  // People speak as slowly as ever; what is measured is what they wait for.
  await simulator.settings({ wordMs: 20 });
  const app = new DemoApp(services);
  for (let at = 0; at < CALLS_AT_ONCE; at += 1) {
    const phone = `+1415555016${at}`;
    await app.addMentor('A mentor of the bench', phone);
    await simulator.addHandset(phone, 'mentor');
    await simulator.script(phone, { answerAfterMs: 50, keys: [{ when: 'whisper', press: '1', afterMs: 20 }] });
  }
  const tokens = await ground.userTokens(count);
  const callIds: string[] = [];
  const line = async (at: number): Promise<void> => {
    for (let call = at; call < count; call += CALLS_AT_ONCE) {
      callIds.push(await makeHappyCall(ground, simulator, `+1415555014${at}`, tokens[call] ?? ''));
    }
  };
  await Promise.all(Array.from({ length: CALLS_AT_ONCE }, (_, at) => line(at)));
  return callIds;
}

async function makeHappyCall(
  ground: BenchGround,
  simulator: SimulatorClient,
  phone: string,
  token: string,
): Promise<string> {
  await simulator.addHandset(phone, 'user');
  await simulator.script(phone, {
    answerAfterMs: 50,
    keys: [{ when: 'greeting', press: '1', afterMs: 20 }],
    hangUp: { after: 'bridged', ms: 200 },
  });
  const call = await askForCall(ground, phone, token);
  await untilOver(ground, call, 'completed');
  return call.callId;
}
