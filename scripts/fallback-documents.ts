import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { getCountries } from 'libphonenumber-js';
import { callerIdFor } from '../domain/caller-id';
import { languageOfCountry, promptsFor, type PromptsOf } from '../domain/prompts';
import { helplineTwiml } from '../domain/twiml';

/**
 * Writes the documents that Twilio runs when nothing of ours answers: `US.xml`, `GB.xml`, …, one for every country
 * with a calling code, and `default.xml` for calls to our numbers. They belong on any static host, or into TwiML Bins.
 *
 * @param numbers our own numbers: the one that fits a country is the caller id there
 * @param promptsOf what is spoken; our own words when left out
 * @returns how many were written
 */
export function writeFallbackDocuments(
  dir: string,
  numbers: readonly string[],
  crisisOverride: string | null,
  promptsOf: PromptsOf = promptsFor,
): number {
  mkdirSync(dir, { recursive: true });
  const write = (name: string, country: string) => {
    const language = languageOfCountry(country);
    const callerId = callerIdFor(numbers, country);
    writeFileSync(join(dir, `${name}.xml`), helplineTwiml({ country, language, callerId, crisisOverride, promptsOf }));
  };
  const countries = getCountries();
  for (const country of countries) write(country, country);
  write('default', countries.find((country) => country === 'US') ?? 'ZZ');
  return countries.length + 1;
}
