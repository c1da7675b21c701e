/** Whatever an app sends: an answer comes, it is no error of ours, and a refusal says nothing that was sent. */
import type { Role } from '../../api/authentication';
import { SeededRandom } from '../chaos/seeded-random';
import { ApiUnderTest } from '../integration/api/api-under-test';
import { somebody } from '../integration/buddies/buddies-under-test';
import { KnownIds, MARK, type OddRequest, oddRequest, SUBJECTS } from './odd-requests';
import { runRounds, SUITE_WITHIN } from './rounds';
import { closeConnections, send, shown } from './wire';

const known = new KnownIds();
let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
  // Each of them has somebody whom they could ask.
  for (const subject of SUBJECTS) {
    const who = { role: 'user', subject } as const;
    const profile = await api.ask('PUT', '/api/users/me/profile', { who, json: { firstName: 'Thessaly' } });
    const buddy = await api.ask('POST', '/api/buddy', { who, json: somebody() });
    for (const { text } of [profile, buddy]) known.add(text, subject);
  }
});
afterAll(async () => {
  closeConnections();
  await api.stop();
});

const statuses = new Map<string, Set<number>>();

test(
  'no odd request of an app’s is left without an answer, is answered with an error of ours, or is repeated in a refusal',
  async () => {
    const { seed, findings } = await runRounds('odd bodies', (random) => problemOf(oddRequest(random, known)));

    expect({ seed, findings: [...findings, ...(await behindTheDoor(seed))] }).toEqual({ seed, findings: [] });
    const lines = api.logLines.filter((line) => /"level":"(error|fatal)"/.test(line) || line.includes(MARK));
    expect(lines).toEqual([]);
    expectEveryKindOfAnswer();
  },
  SUITE_WITHIN,
);

const BEHIND_THE_DOOR = [
  'POST /connect-mentor',
  'POST /contact-points',
  'POST /mentors',
  'GET /mentor-calls',
  'POST /messages',
  'POST /messages/bulk',
  'POST /alerts/voice',
  'POST /api/buddy',
  'POST /api/buddy/send-verification',
  'PUT /api/users/me/registered-contact',
  'POST /api/wellbeing/scores',
  'PUT /api/escalation-policy',
];
/** One odd request in ten gets through. */
const MOST_TRIES = 500;

/** Goes on with the routes of which no request has got through by chance. @returns what is wrong with the answers */
async function behindTheDoor(seed: number): Promise<string[]> {
  const random = new SeededRandom(seed);
  const findings: string[] = [];
  for (const route of BEHIND_THE_DOOR) {
    for (let tries = 0; !isAccepted(route) && tries < MOST_TRIES; tries += 1) {
      const finding = await problemOf(oddRequest(random, known, route));
      if (finding !== null) findings.push(finding);
    }
  }
  return findings;
}

function isAccepted(route: string): boolean {
  return [...(statuses.get(route) ?? [])].some((status) => status < 300);
}

/** Requests that are all refused at the door would prove nothing about what is behind it. */
function expectEveryKindOfAnswer(): void {
  for (const [route, seen] of statuses) {
    expect([route, [...seen].some((status) => status >= 400)]).toEqual([route, true]);
  }
  expect(BEHIND_THE_DOOR.filter((route) => !isAccepted(route))).toEqual([]);
}

async function problemOf(odd: OddRequest): Promise<string | null> {
  const { route, method, path, body, who } = odd;
  const headers = { ...(who === null ? {} : { Authorization: `Bearer ${await tokenOf(who)}` }), ...odd.headers };
  const answer = await send(api.port, { method, path, headers, body });
  const what = shown({ method, path, headers: odd.headers, body });
  if (answer === null) return `no answer to ${what}`;
  const seen = statuses.get(route) ?? new Set();
  // By another method it is another route's answer.
  if (route.startsWith(`${method} `)) statuses.set(route, seen.add(answer.status));
  if (answer.status >= 500) return `${answer.status} to ${what}`;
  if (answer.status < 400) {
    known.add(answer.text, odd.who?.subject ?? '');
    return null;
  }
  if (!answer.contentType.startsWith('application/problem+json')) return `${answer.contentType} to ${what}`;
  if (/Zq9kx7|555 ?014|Quillfeather/i.test(answer.text)) return `repeated in ${answer.text}: ${what}`;
  return null;
}

const tokens = new Map<string, Promise<string>>();

/** Made anew every few minutes: a long run would outlive them. */
function tokenOf(who: { role: Role; subject: string }): Promise<string> {
  const key = `${who.role} ${who.subject} ${Math.floor(Date.now() / 240_000)}`;
  const token = tokens.get(key) ?? api.token(who);
  tokens.set(key, token);
  return token;
}
