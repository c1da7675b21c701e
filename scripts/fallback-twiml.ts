/** `npm run fallback-twiml -- --out DIR`: the static documents for `VOICE_FALLBACK_URL`, one per country. */
import { parseArgs } from 'node:util';
import { E164, HELPLINE_NUMBER, helplineNumber, listOf } from '../config/variables';
import { openPrompts } from '../providers/prompts-file';
import { CommandError, runCommand } from './command-error';
import { writeFallbackDocuments } from './fallback-documents';
import { loadDotEnv } from './dot-env';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  if (values.out === undefined) throw new CommandError('usage: npm run fallback-twiml -- --out DIR');
  loadDotEnv();
  const numbers = listOf(E164)(process.env.TWILIO_PHONE_NUMBER ?? '');
  if (numbers === null) {
    throw new CommandError('TWILIO_PHONE_NUMBER: expected the numbers of ours that the documents show as caller id');
  }
  const crisis = process.env.FALLBACK_CRISIS_NUMBER?.trim() ?? '';
  if (crisis !== '' && helplineNumber(crisis) === null) {
    throw new CommandError(`FALLBACK_CRISIS_NUMBER: expected ${HELPLINE_NUMBER}`);
  }
  const promptsOf = openPrompts(process.env.PROMPTS_FILE?.trim() || null);
  const count = writeFallbackDocuments(values.out, numbers, crisis === '' ? null : crisis, promptsOf);
  process.stdout.write(
    `Wrote ${count} documents to ${values.out}. VOICE_FALLBACK_URL is where they are, with {country}.xml.\n`,
  );
}

void runCommand(main);
