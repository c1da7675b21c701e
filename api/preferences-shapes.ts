import { z } from 'zod';
import { POLICIES, PREFERENCE_CHANNELS, REFUSABLE_KINDS } from '../db/preferences';
import { time } from './shared-shapes';

const preferenceShape = z
  .strictObject({
    channel: z.enum(PREFERENCE_CHANNELS),
    kind: z.enum(REFUSABLE_KINDS).meta({ description: 'What a message or a call is about.' }),
    allowed: z.boolean(),
  })
  .meta({ id: 'Preference' });

const ALL = PREFERENCE_CHANNELS.length * REFUSABLE_KINDS.length;

export const newPreferences = z
  .strictObject({
    preferences: z
      .array(preferenceShape)
      .max(ALL)
      .refine(
        (all) => new Set(all.map(({ channel, kind }) => `${channel} ${kind}`)).size === all.length,
        'Each channel with each kind can be named once.',
      ),
  })
  .meta({ id: 'NewPreferences', description: 'The whole list; what is left out is allowed.' });

export const preferencesShape = z
  .strictObject({
    preferences: z.array(preferenceShape),
    stoppedNumbers: z.array(z.strictObject({ contactPointId: z.uuid(), since: time })).meta({
      description: 'Verified numbers that get no texts from us: STOP was texted from them, and START starts again.',
    }),
  })
  .meta({ id: 'Preferences' });

export const policyShape = z
  .strictObject({ name: z.enum(POLICIES), isOn: z.boolean(), changedAt: time })
  .meta({ id: 'Policy' });
export const policyList = z.strictObject({ policies: z.array(policyShape) }).meta({ id: 'PolicyList' });
export const policyChange = z.strictObject({ isOn: z.boolean() }).meta({ id: 'PolicyChange' });
