import { randomUUID } from 'node:crypto';
import type { Config } from '../../config/config';
import type { MentorCallInput } from '../../domain/mentor-call';

/** Input of a workflow, as large as that of an ordinary request; nobody is rung for it. */
export function callInput(config: Config, callId: string = randomUUID()): MentorCallInput {
  return {
    callId,
    userId: randomUUID(),
    recordId: randomUUID(),
    numberIsForThisCallOnly: true,
    recipientToken: '00'.repeat(32),
    country: 'US',
    language: 'en',
    organisationNumber: config.twilio.phoneNumbers[0] ?? '',
    mayCallBack: false,
    preferences: {},
    consent: { textVersion: '2026-11', language: 'en' },
    requestHash: '00'.repeat(32),
    requestedAt: new Date().toISOString(),
    times: config.mentorCall.times,
    maxMentors: config.mentorCall.maxMentors,
    detectMachines: false,
  };
}
