import { findTemplate } from '../../../db/templates';
import { countSegments } from '../../../domain/segments';
import { fill } from '../../../domain/templates';
import { createTestDatabase, type TestDatabase } from '../../postgres';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const NAME = 'Maximilianaalexandra';
const link = `https://kindline.example.org/contact/${'x'.repeat(64)}`;

describe.each(['en', 'es'])('what a contact is texted (%s)', (language) => {
  test.each([
    ['buddy.contact-named', { contact: NAME, user: NAME, link }],
    ['buddy.contact-alert', { contact: NAME, user: NAME, days: 14, link }],
    ['buddy.contact-over', { contact: NAME, user: NAME, link }],
  ])('%s fits into two segments with the longest names, and says how to stop', async (template, values) => {
    const found = await findTemplate(database.app, template, null);
    if (found === null) throw new Error('no such template');
    const { body } = fill(found, language, values, 'text');
    expect(countSegments(body)).toMatchObject({ encoding: 'gsm-7' });
    expect(countSegments(body).segments).toBeLessThanOrEqual(2);
    expect(body).toMatch(/(Reply STOP to opt out|Responda STOP para darse de baja)\.$/);
    expect(body).not.toMatch(/score|risk|Kindline\b(?!\.)/);
  });
});

test('what the organisation is told says nothing about anybody', async () => {
  for (const name of ['wellbeing.service', 'wellbeing.service-over', 'wellbeing.on-call', 'wellbeing.emergency']) {
    const found = await findTemplate(database.app, name, null);
    const variables = Object.keys(found?.variables ?? { none: 1 });
    expect(variables.filter((variable) => !['reference', 'staffLink'].includes(variable))).toEqual([]);
  }
});
