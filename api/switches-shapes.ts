import { z } from 'zod';
import { SWITCHES } from '../db/switches';
import { time } from './shared-shapes';

export const switchShape = z
  .strictObject({
    name: z.enum(SWITCHES),
    isOn: z.boolean().meta({ description: 'Whether new calls or messages are taken: configured and switched on.' }),
    isConfigured: z.boolean().meta({ description: 'VOICE_ENABLED or SMS_ENABLED; what is off there stays off.' }),
    changedAt: time.nullable().meta({ description: 'Null: nobody has ever switched it.' }),
  })
  .meta({ id: 'Switch' });

export const switchList = z.strictObject({ switches: z.array(switchShape) }).meta({ id: 'SwitchList' });

export const switchChange = z
  .strictObject({
    isOn: z.boolean().meta({ description: 'What is under way waits while it is off, or ends: WHEN_SWITCHED_OFF.' }),
  })
  .meta({ id: 'SwitchChange' });
