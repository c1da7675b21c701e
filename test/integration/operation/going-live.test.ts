/** What the way to a real number tells people to do can be done: commands, variables and words are those that exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { VARIABLE_NAMES } from '../../../config/config';
import { RULES } from '../../../api/authorisation';
import { PROJECT_ROOT } from '../../../scripts/project';
import { ApiUnderTest, CONSENT } from '../api/api-under-test';

const page = readFileSync(join(PROJECT_ROOT, 'docs', 'going-live.md'), 'utf8');
const readme = readFileSync(join(PROJECT_ROOT, 'README.md'), 'utf8');
const section = readme.split('## With a real Twilio account')[1]?.split('\n## ')[0] ?? '';

test('every npm command it names exists', () => {
  const scripts = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')).scripts;
  const named = [...`${page}${section}`.matchAll(/npm (?:run (?:--silent )?([a-z][\w:-]*)|(start|test))/g)];
  const commands = new Set(named.map(([, run, own]) => run ?? own));
  expect([...commands]).toEqual(expect.arrayContaining(['start', 'doctor', 'token', 'fallback-twiml', 'reset']));
  for (const command of commands) {
    expect(scripts).toHaveProperty([String(command)]);
    expect(existsSync(join(PROJECT_ROOT, 'scripts', `${String(command).replace(':', '-')}.ts`))).toBe(true);
  }
});

test('every variable it names is read', () => {
  const named = new Set(
    `${page}${section}`.match(/\b(?:TWILIO|VOICE|ALLOWED|OIDC|KMS|DATABASE|TEMPORAL)_[A-Z_]*[A-Z]\b/g),
  );
  expect(named.size).toBeGreaterThan(5);
  for (const name of named) expect(VARIABLE_NAMES).toContain(name);
});

test('what it says of the doctor are the doctor’s own words', () => {
  const folder = join(PROJECT_ROOT, 'scripts', 'doctor');
  const sources = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
  for (const words of [
    'signature is refused',
    'redirects',
    'does not have this number',
    'handles its calls',
    'task priority',
  ]) {
    expect(page).toContain(words);
    expect(sources.join('\n').toLowerCase()).toContain(words.toLowerCase());
  }
});

test('its requests are taken, and its links lead somewhere', async () => {
  const bodies = [...page.matchAll(/-d '([^']+)'/g)].map(([, text = '']) => text);
  const filled = bodies.map((text) =>
    JSON.parse(text.replace('PHONE_A', '+14155550142').replace('PHONE_B', '+14155550162').replace('TODAY', '1')),
  );
  expect(filled).toHaveLength(2);
  expect(filled[1].consent).toEqual(CONSENT);
  const api = await ApiUnderTest.start();
  try {
    const mentor = await api.ask('POST', '/mentors', { who: { role: 'admin' }, json: filled[0] });
    const call = await api.ask('POST', '/connect-mentor', { who: { role: 'user' }, json: filled[1] });
    expect([mentor.status, call.status]).toEqual([201, 202]);
  } finally {
    await api.stop();
  }
  expect(Object.keys(RULES)).toEqual(expect.arrayContaining(['POST /mentors', 'POST /connect-mentor']));
  for (const [, target = ''] of page.matchAll(/\]\(([\w.-]+\.md)\)/g)) {
    expect(existsSync(join(PROJECT_ROOT, 'docs', target))).toBe(true);
  }
});
