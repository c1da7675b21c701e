import { z } from 'zod';
import { countryCode, languageCode, time } from './shared-shapes';

export const voiceTokenQuery = z.strictObject({
  format: z.enum(['text', 'json']).optional().meta({ description: '`json`: with its identity and its end.' }),
  country: countryCode.optional().meta({
    description: 'Where the user is: whose helpline they are offered. Without it the first country that is served.',
  }),
  language: languageCode.optional().meta({
    description: 'In which they are spoken to, and that of the consent text. Without it that of the country.',
  }),
  textVersion: z.string().max(40).optional().meta({
    description:
      'The version of GET /consent-texts/app-call that was shown in `language` and agreed to. It can come with the call instead; who has agreed to none is asked on the phone.',
  }),
});

export const voiceTokenShape = z
  .strictObject({
    token: z.string().meta({ description: 'An access token of Twilio with a VoiceGrant; for the Voice SDK.' }),
    identity: z.string().meta({ description: 'What Twilio calls this user; it says nothing about them.' }),
    expiresAt: time,
  })
  .meta({ id: 'VoiceToken' });

export const appConsentTextsShape = z
  .strictObject({
    job: z.literal('app-call'),
    texts: z.array(z.strictObject({ textVersion: z.string(), language: languageCode, text: z.string() })),
  })
  .meta({ id: 'AppConsentTexts' });
