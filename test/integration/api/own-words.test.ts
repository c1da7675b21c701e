import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSubject } from '../../../db/subjects';
import { SealedValue } from '../../../domain/sealed';
import { MARKED } from '../../marked-people';
import { ApiUnderTest, newCallSid } from './api-under-test';

const AUDIO = 'https://static.example.org/searching.mp3';
const WORDS = {
  fr: {
    voice: { voice: 'Polly.Gabrielle-Neural', language: 'fr-CA' },
    neutral: { greeting: 'Allô[, ici {from}]. Voici votre appel. Appuyez sur 1.', oneMoment: 'Un petit instant.' },
    confirmed: { searching: { play: AUDIO, seconds: 7 } },
    disclosures: { notTherapists: 'Les mentors ne remplacent pas un médecin.' },
    fallback: 'Voici une ligne d’écoute.',
  },
};
const fromUs = { From: '+14155550100', To: MARKED.userPhone, Direction: 'outbound-api', CallStatus: 'in-progress' };

let dir: string;
let api: ApiUnderTest;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'words-'));
  const file = join(dir, 'prompts.json');
  writeFileSync(file, JSON.stringify(WORDS));
  api = await ApiUnderTest.start({
    PROMPTS_FILE: file,
    CALL_GREETING_NAME: 'Phare',
    SPOKEN_DISCLOSURES: 'not-therapists,emergency',
  });
});
afterAll(async () => {
  await api.stop();
  rmSync(dir, { recursive: true, force: true });
});

const ask = async (step: string, fields: Record<string, string> = {}) => {
  const path = `/twiml/connect-mentor?call=${randomUUID()}&dispatch=${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}&step=${step}&lang=fr`;
  return (await api.twilio(path, { ...fromUs, CallSid: newCallSid(), ...fields })).text;
};
const VOICE = '<Say voice="Polly.Gabrielle-Neural" language="fr-CA">';

test('the organisation’s words are spoken with its voice, and ours where it has none', async () => {
  expect(await ask('confirmed&try=1')).toContain(`${VOICE}Bonjour, ici Phare, avec l'appel que vous avez demandé.`);
  const inbound = await api.twilio('/twiml/inbound', { ...fromUs, From: '+33639980001', Direction: 'inbound' });
  expect(inbound.text).toContain(`${VOICE}Bonjour. Ce numéro`);
});

test('a recording is played, after what the organisation wants said, and before the mentor is rung', async () => {
  const subjectId = await createSubject(api.deps.pool, 'system');
  const mentorRecordId = await api.deps.vault.seal({
    subjectId,
    kind: 'phone',
    value: SealedValue.of('phone', MARKED.mentorPhone),
  });
  const plan = {
    do: 'dial-mentor',
    step: 1,
    mentorId: randomUUID(),
    mentorRecordId,
    callerId: '+14155550100',
    ringSeconds: 20,
    confirmSeconds: 15,
    timeLimitSeconds: 3_600,
  } as const;
  api.process.plan = { ...plan, words: 'first' };
  expect((await ask('confirmed&try=1', { Digits: '1' })).replace(/<Dial.*/, '')).toBe(
    `<?xml version="1.0" encoding="UTF-8"?><Response>${VOICE}Les mentors ne remplacent pas un médecin.</Say>${VOICE}En cas d'urgence, appelez le 9 1 1.</Say><Play>${AUDIO}</Play>`,
  );
  api.process.plan = { ...plan, words: 'still-looking' };
  const later = await ask('dial-over&n=1', { DialCallStatus: 'busy' });
  expect(later).not.toContain('médecin');
  expect(later).toContain('Nous cherchons toujours');
});

test('they are spoken too when nothing else of ours can be asked', async () => {
  api.process.down = new Error('Temporal is down');
  const step = 'confirmed&try=1&digits=1';
  expect(await ask(step, { Digits: '1' })).toContain('Un petit instant.');
  expect(await ask(`${step}&loop=4`)).toContain('Voici une ligne d’écoute.');
  api.process.down = null;
});

test('the workflow is told how long they take, so that it does not give a mentor’s place away while they are spoken', async () => {
  const consent = { textVersion: '2026-11', language: 'fr' };
  const body = { userPhoneNumber: MARKED.userPhone, consent };
  expect((await api.ask('POST', '/connect-mentor', { who: { role: 'user' }, json: body })).status).toBe(202);
  const { spokenMs, language } = api.process.started.at(-1) ?? {};
  expect(language).toBe('fr');
  // Seven seconds of recording; two sentences of a good ten words before it.
  expect(spokenMs?.first).toBeGreaterThan(7_000 + 12 * 300);
  expect(spokenMs?.['still-looking']).toBeGreaterThan(1_500);
});
