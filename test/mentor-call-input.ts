import { randomBytes, randomUUID } from 'node:crypto';
import { spokenMsBeforeDial } from '../domain/disclosures';
import type { MentorCallInput } from '../domain/mentor-call';
import { promptsFor } from '../domain/prompts';
import { RETENTION } from '../domain/retention';

/** Of a call that rings a number. */
export type RingingInput = MentorCallInput & { readonly recordId: string; readonly recipientToken: string };

/** A call that somebody new makes in the app. */
export function appCallInput(callSid: string, more: Partial<MentorCallInput> = {}): MentorCallInput {
  const nobodyIsRung = { recordId: null, recipientToken: null, numberIsForThisCallOnly: false };
  return { ...mentorCallInput(), ...nobodyIsRung, fromApp: { callSid }, ...more };
}

/** An ordinary request for a call, of somebody new, with the times of a real deployment; `more` replaces parts of it. */
export function mentorCallInput(more: Partial<RingingInput> = {}): RingingInput {
  return {
    callId: randomUUID(),
    userId: randomUUID(),
    recordId: randomUUID(),
    numberIsForThisCallOnly: true,
    recipientToken: randomBytes(32).toString('hex'),
    country: 'US',
    language: 'en',
    organisationNumber: '+14155550100',
    mayCallBack: false,
    preferences: {},
    consent: { textVersion: '1', language: 'en' },
    requestHash: 'cd'.repeat(32),
    requestedAt: new Date().toISOString(),
    times: {
      userRing: 30_000,
      userConfirm: 40_000,
      mentorRing: 20_000,
      mentorConfirm: 12_000,
      maxDuration: 3_600_000,
      ringBackWindow: 120_000,
      mentorSearch: 90_000,
      overallWait: 180_000,
      providerPatience: 60_000,
      legSilence: 8_000,
    },
    maxMentors: 4,
    detectMachines: false,
    spokenMs: spokenMsBeforeDial(promptsFor('en'), [], { timeLimitSeconds: 3_600, country: 'US', kept: RETENTION }),
    ...more,
  };
}
