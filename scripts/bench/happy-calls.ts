/** Whole masked calls between simulated phones that answer, press 1 and hang up by themselves. */
import { z } from 'zod';
import { currentConsentTexts } from '../../domain/consent-texts';
import { SimulatorClient } from '../../simulator/client';
import { DemoApp } from '../demo-call';
import type { BenchGround } from './ground';

/** How many calls run at the same time; each needs a mentor of its own. */
export const CALLS_AT_ONCE = 2;

const PATIENCE_MS = 60_000;
const accepted = z.object({ callId: z.uuid() });
const state = z.object({ status: z.string(), endedAt: z.string().nullish() });

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
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const consent = { textVersion: currentConsentTexts()[0]?.version ?? '', language: 'en' };
  const body = JSON.stringify({ userPhoneNumber: phone, consent });
  const answer = await fetch(`${ground.apiUrl}/connect-mentor`, { method: 'POST', headers, body });
  const { callId } = accepted.parse(await answer.json());
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const call = state.parse(await (await fetch(`${ground.apiUrl}/mentor-calls/${callId}`, { headers })).json());
    if (call.endedAt != null && call.status === 'completed') return callId;
    if (call.endedAt != null || Date.now() > deadline) {
      throw new Error(`a call that should have gone well is ${call.status}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}
