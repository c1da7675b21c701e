import { callerIdFor } from '../domain/caller-id';
import { spokenMsBeforeDial } from '../domain/disclosures';
import { helplinesToDial } from '../domain/helplines';
import { countryOfNumber } from '../domain/phone-number';
import type { ApiDeps } from './deps';

/** What is fixed for a mentor call when it begins, whichever way the user came: a later change of configuration is not for it. */
export function mentorCallTerms(
  { config, promptsOf }: Pick<ApiDeps, 'config' | 'promptsOf'>,
  { country, language, mayBeRecorded }: { country: string; language: string; mayBeRecorded: boolean },
) {
  const { times, maxMentors, drops, feedback, spokenDisclosures } = config.mentorCall;
  const organisationNumber = callerIdFor(config.twilio.phoneNumbers, country);
  const timeLimitSeconds = Math.round(times.maxDuration / 1_000);
  return {
    organisationNumber,
    times,
    maxMentors,
    drops,
    feedback,
    /** How many helplines our number for this country can be connected with. */
    helplinesToDial: helplinesToDial(country, countryOfNumber(organisationNumber), config.helplines.crisisOverride)
      .length,
    /** The workflow has only our own words; what is spoken may be others, or recordings. */
    spokenMs: spokenMsBeforeDial(promptsOf(language), spokenDisclosures, {
      timeLimitSeconds,
      country,
      kept: config.retention,
      mayBeRecorded,
    }),
  } as const;
}
