/** Requests that claim to be Twilio's: none of them changes anything, and none makes the API fail. */
import { ApiUnderTest } from '../integration/api/api-under-test';
import { type Forgery, forge, signed, WEBHOOKS } from './forgeries';
import { runRounds, SUITE_WITHIN } from './rounds';
import { tableFingerprints } from './table-fingerprints';
import { closeConnections, send, shown } from './wire';

let api: ApiUnderTest;
beforeAll(async () => {
  api = await ApiUnderTest.start();
});
afterAll(async () => {
  closeConnections();
  await api.stop();
});

/** Everything a webhook could change: the tables, and what was said to Temporal and to Twilio. */
async function everything() {
  const { started, asked, ended, cancelled } = api.process;
  const { alerts } = api;
  return {
    tables: await tableFingerprints(api.database.owner),
    // Temporal answers a question that has the id of an earlier one without asking the workflow again.
    questions: new Set(asked.map(({ callId, updateId }) => `${callId} ${updateId}`)).size,
    alertQuestions: new Set(alerts.asked.map(({ alertId, updateId }) => `${alertId} ${updateId}`)).size,
    messages: [started.length, ended.length, cancelled.length, alerts.ended.length, alerts.cancelled.length],
    // Ending a leg that has ended is nothing.
    legsEnded: new Set(api.endedByRest).size,
  };
}

test('the webhooks that are forged below are accepted as long as they are not', async () => {
  for (const webhook of WEBHOOKS) {
    const answer = await send(api.port, signed(webhook));
    expect([webhook.path, answer?.status]).toEqual([
      webhook.path,
      /^\/(call|message|recording)-status/.test(webhook.path) ? 204 : 200,
    ]);
  }
});

test(
  'no forged, altered or repeated webhook changes anything or is answered with an error of ours',
  async () => {
    for (const webhook of WEBHOOKS) await send(api.port, signed(webhook));
    const before = await everything();
    const kinds = new Map<string, number>();

    const { rounds, seed, findings } = await runRounds(
      'forged webhooks',
      async (random) => {
        const forgery = forge(random);
        kinds.set(forgery.kind, (kinds.get(forgery.kind) ?? 0) + 1);
        return problemOf(forgery);
      },
      async () => {
        const after = await everything();
        return JSON.stringify(after) === JSON.stringify(before)
          ? null
          : `something changed: ${JSON.stringify(after)} from ${JSON.stringify(before)}`;
      },
    );

    expect({ seed, findings }).toEqual({ seed, findings: [] });
    expect([...kinds.values()].reduce((all, one) => all + one, 0)).toBe(rounds);
    expect(api.logLines.filter((line) => /"level":"(error|fatal)"/.test(line))).toEqual([]);
  },
  SUITE_WITHIN,
);

async function problemOf({ kind, expected, request }: Forgery): Promise<string | null> {
  const answer = await send(api.port, request);
  const what = `${kind}: ${shown(request)}`;
  if (answer === null) return `no answer to ${what}`;
  if (answer.status >= 500) return `${answer.status} to ${what}`;
  if (expected === 'harmless') return null;
  if (answer.status < 400) return `${answer.status} to ${what}`;
  // A forger learns nothing from a refusal, not even that a person with this number is known.
  return answer.text === '' || answer.contentType.startsWith('application/problem+json') ? null : `text to ${what}`;
}
