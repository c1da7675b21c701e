import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scan } from '../../canary/scan';
import { sensitiveNeedles } from '../../canary/spellings';
import { ORGANISATION_NUMBERS } from '../../../scripts/services';
import { MARKED } from '../../marked-people';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kindline-scan-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

const phone = MARKED.userPhone;
const planted: [string, string][] = [
  ['E.164', phone],
  ['national', '(415) 555-0142'],
  ['national', '415-555-0142'],
  ['spaced', '+1 415 555 01 42'],
  ['URL-encoded', encodeURIComponent(phone)],
  ['base64', Buffer.from(`{"to":"${phone}"}`).toString('base64')],
  ['base64', Buffer.from(`a${phone}`).toString('base64')],
  ['base64', Buffer.from(`ab${phone}`).toString('base64')],
  ['hex', Buffer.from(phone).toString('hex')],
  ['word', MARKED.mentorName],
  ['base64', Buffer.from(MARKED.mentorName).toString('base64')],
  ['word', MARKED.britishPhone],
  ['word', 'Hi Perpetua,'],
  ['word', `"${MARKED.note}"`],
  ['word', MARKED.ip],
  ['URL-encoded', encodeURIComponent(MARKED.contactPhone)],
  ['link', `/buddy/checkin/${'a-B_9'.repeat(12)}abcd HTTP/1.1`],
  ['link', `verify?token=${'a-B_9'.repeat(12)}abcd&action=accept`],
];

it.each(planted)('finds a planted %s', async (spelling, text) => {
  writeFileSync(join(folder, 'file'), `before ${text} after`);
  const { findings } = await scan([folder], () => false);
  expect(findings.map((finding) => finding.spelling)).toContain(spelling);
});

it('finds what lies across two chunks of a large file', async () => {
  const filler = 'x'.repeat(4 * 1024 * 1024 - 5);
  writeFileSync(join(folder, 'large'), `${filler}${phone}${filler}`);
  expect((await scan([folder], () => false)).findings.map(({ spelling }) => spelling)).toContain('E.164');
});

it('finds a token of a link by itself, wherever it stands in what else is written', async () => {
  const token = 'Zx-9_'.repeat(12).concat('last');
  writeFileSync(join(folder, 'file'), `\0ab${token}x,other`);
  const sought = { patterns: [], tokens: new Set([token]) };
  expect((await scan([folder], () => false, sought)).findings).toEqual([
    { file: join(folder, 'file'), spelling: 'token' },
  ]);
});

it.each([
  ['score', `{"score":${MARKED.score}}`],
  ['reason', 'began because of low-in-a-row'],
  ['response', 'response=cannot-reach'],
])('finds a %s where none may stand', async (spelling, text) => {
  writeFileSync(join(folder, 'file'), text);
  const { findings } = await scan([folder], () => false, { patterns: sensitiveNeedles() });
  expect(findings.map((finding) => finding.spelling)).toEqual([spelling]);
});

it('lets numbers of the organisation stand', async () => {
  const ours = ORGANISATION_NUMBERS.map((number) => [number, Buffer.from(number).toString('hex')]).join(' ');
  writeFileSync(join(folder, 'file'), ours);
  expect((await scan([folder], () => false)).findings).toEqual([]);
});

it('leaves out what it is told to', async () => {
  writeFileSync(join(folder, 'simulator.log'), phone);
  expect(await scan([folder], (path) => path.endsWith('simulator.log'))).toMatchObject({ files: 0, findings: [] });
});
