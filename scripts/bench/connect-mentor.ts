/** How long it takes until a request for a call is accepted, against the least that a durable start can do. */
import { currentConsentTexts } from '../../domain/consent-texts';
import type { BenchGround } from './ground';
import type { BenchGroup, Effort } from './group';
import { type OneByOne, oneByOne } from './http-client';
import { inTurns, median, type TwoSides } from './rounds';
import { type BenchRow, rowOf } from './rows';

const TURNS_A_ROUND = 3;
const REQUESTS_A_TURN = 15;
/** As many users who ask in turn; each has signed in before. */
const KNOWN_USERS = 15;

export const connectMentorGroup: BenchGroup = { name: 'connect-mentor', run: { needs: 'ground', measure } };

async function measure({ rounds, isQuick }: Effort, ground: BenchGround): Promise<BenchRow[]> {
  await ground.stopWorker();
  const baseline = await ground.startBaseline('connect-mentor');
  const client = oneByOne();
  const urls = { ours: ground.apiUrl, baseline: baseline.url };
  const requests = isQuick ? 3 : REQUESTS_A_TURN;
  const turns = isQuick ? 1 : rounds * TURNS_A_ROUND;
  const compared = (tokensOf: (turn: number) => readonly string[]): Promise<TwoSides> =>
    inTurns(turns, {
      ours: (turn) => medianOf(client, urls.ours, tokensOf(turn)),
      baseline: (turn) => medianOf(client, urls.baseline, tokensOf(turn)),
    });
  try {
    const known = await ground.userTokens(isQuick ? requests : KNOWN_USERS);
    // Signs them in, and lets both sides load what they load once.
    for (const url of Object.values(urls)) await medianOf(client, url, known);
    const warm = await compared(() => known);

    const strangers = await ground.userTokens(requests * turns);
    const cold = await compared((turn) => strangers.slice(turn * requests, (turn + 1) * requests));
    return [
      rowOf({
        name: 'POST /connect-mentor, a user who is known',
        unit: 'ms at the median',
        ...warm,
        target: { of: 'ratio', is: '≤', than: 1.3 },
      }),
      rowOf({ name: 'POST /connect-mentor, the first request of a new account', unit: 'ms at the median', ...cold }),
    ];
  } finally {
    client.close();
    await baseline.stop();
  }
}

let asked = 0;

/** One request for each token, one after the other; each names another number. */
async function medianOf(client: OneByOne, url: string, tokens: readonly string[]): Promise<number> {
  const consent = { textVersion: currentConsentTexts()[0]?.version ?? '', language: 'en' };
  const times: number[] = [];
  for (const token of tokens) {
    asked += 1;
    const body = JSON.stringify({ userPhoneNumber: `+141555501${10 + (asked % 90)}`, consent });
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
    };
    times.push(await client.post(`${url}/connect-mentor`, headers, body, 202));
  }
  return median(times);
}
