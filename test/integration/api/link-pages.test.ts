/** What holds of every page behind a link that a message carried, whatever it is for. */
import { Client } from 'pg';
import { RULES } from '../../../api/authorisation';
import { newLinkToken } from '../../../vault/link-tokens';
import { type BuddyWorld, checkedIn, invited, nameBuddy } from '../rights/people';
import { ApiUnderTest } from './api-under-test';

/** What is counted is judged here, and not how long Postgres may take to count. */
jest.mock('../../../api/limits', () => ({ ...jest.requireActual('../../../api/limits'), RATES_WITHIN: 20_000 }));

const PAGES = Object.entries(RULES).flatMap(([name, { access }]) => (access === 'link' ? [name] : []));

let api: ApiUnderTest;
let world: BuddyWorld;
beforeAll(async () => {
  api = await ApiUnderTest.start({ RATE_LIMIT_ADDRESS: '30/10m', TRUST_PROXY_HOPS: '1' });
  world = { pool: api.deps.pool, vault: api.deps.vault, tokenizer: api.deps.tokenizer };
});
afterAll(() => api.stop());

/** From an address of one's own. */
let nth = 0;
const newAddress = () => {
  nth += 1;
  return `198.51.100.${nth}`;
};
function visit(name: string, token: string, from = newAddress()) {
  const [method = '', pattern = ''] = name.split(' ');
  const path = pattern.replace(':token', token);
  const query = pattern.includes(':token') || method === 'POST' ? '' : `?token=${token}&action=accept`;
  const body = method === 'POST' ? { body: new URLSearchParams({ token, action: 'accept', step: 'see' }) } : {};
  return api.fetch(`${path}${query}`, { method, headers: { 'X-Forwarded-For': from }, ...body });
}

test.each(PAGES)('%s is counted for the address that asks: guessing ends soon', async (name) => {
  const address = newAddress();
  const statuses: number[] = [];
  for (let time = 0; time < 31; time += 1) statuses.push((await visit(name, newLinkToken(), address)).status);
  expect(statuses.indexOf(429)).toBe(30);
});

test.each(PAGES)('%s tells a guess nothing, and no log line or metric holds its token', async (name) => {
  const before = await api.footprint();
  const [one, other] = [newLinkToken(), newLinkToken()];
  const answers = [await visit(name, one), await visit(name, other)];
  const [first, second] = answers.map(({ status, text }) => ({
    status,
    // Every page has a nonce of its own.
    text: text
      .replaceAll(one, '')
      .replaceAll(other, '')
      .replaceAll(/nonce="[^"]+"/g, ''),
  }));
  expect(first).toEqual(second);
  expect(await api.footprint()).toEqual(before);
  const written = `${api.logLines.join('\n')}\n${await api.metrics.text()}`;
  for (const token of [one, other]) expect(written).not.toContain(token);
  expect(written).toContain(name.split(' ')[1]);
});

test('a guess asks the database no more than a link that somebody has', async () => {
  const buddy = await nameBuddy(world);
  const [link, checkIn] = [await invited(world.pool, buddy.buddyId), await checkedIn(world, buddy, { isOpen: true })];
  const known = { 'GET /api/buddy/rights/:token': link, 'GET /buddy/checkin/:token': checkIn.token };
  // oxlint-disable-next-line typescript/unbound-method -- called through the spy, with its client
  const spy = jest.spyOn(Client.prototype, 'query');
  const statements = async (name: string, token: string): Promise<number> => {
    spy.mockClear();
    await visit(name, token);
    return spy.mock.calls.length;
  };
  try {
    for (const [name, token] of Object.entries(known)) {
      expect(await statements(name, newLinkToken())).toBeLessThanOrEqual(await statements(name, token));
    }
  } finally {
    spy.mockRestore();
  }
});
