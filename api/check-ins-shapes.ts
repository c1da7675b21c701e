import { z } from 'zod';
import { CHECK_IN_RESPONSES, CHECK_IN_STATES } from '../domain/buddies';
import { listQuery, nextCursor, time } from './shared-shapes';

export const newCheckIn = z
  .strictObject({
    buddyContactId: z.uuid(),
    userId: z.uuid().meta({ description: 'Of whoever asks: anybody else’s is not found.' }),
  })
  .meta({ id: 'NewCheckIn' });

const state = z.enum(CHECK_IN_STATES).meta({
  description:
    'On the way: pending, sent, delivered, opened. `answered` may still be corrected until it closes. Over: unanswered, undeliverable, ended (the buddy does not want to be asked any more, or nobody waits for it).',
});

export const checkInAccepted = z
  .strictObject({ requestId: z.uuid(), state })
  .meta({ id: 'CheckInAccepted', description: 'The buddy gets a text: GET /api/buddy/check-ins/{requestId} tells.' });

export const checkInShape = z
  .strictObject({
    requestId: z.uuid(),
    buddyContactId: z.uuid(),
    kind: z.enum(['user', 'system']).meta({ description: '`system`: an alert has asked.' }),
    state,
    requestedAt: time,
    sentAt: time.nullable(),
    deliveredAt: time.nullable(),
    remindedAt: time.nullable(),
    linkOpenedAt: time
      .nullable()
      .meta({ description: 'When a person pressed the page’s first button; what only follows links presses none.' }),
    respondedAt: time.nullable(),
    response: z.enum(CHECK_IN_RESPONSES).nullable(),
    closesAt: time.meta({
      description:
        'Until when it can be answered. What an alert asks can be until the alert is over, and this is later than that can be.',
    }),
    closedAt: time.nullable(),
  })
  .meta({ id: 'CheckIn' });

export const checkInWithNote = checkInShape
  .extend({ note: z.string().nullable().meta({ description: 'What the buddy wrote to the user.' }) })
  .meta({ id: 'CheckInWithNote' });

export const checkInPage = z.strictObject({ checkIns: z.array(checkInShape), nextCursor }).meta({ id: 'CheckInPage' });

export const checkInsQuery = listQuery.extend({
  buddyContactId: z.uuid().optional().meta({ description: 'Only those of this buddy.' }),
});
