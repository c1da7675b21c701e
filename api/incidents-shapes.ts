import { z } from 'zod';
import { INCIDENT_PHASES } from '../domain/incident-words';
import { INCIDENT_KINDS } from '../domain/watchdog-rules';
import { listQuery, nextCursor, time } from './shared-shapes';

export const incidentsQuery = listQuery.extend({
  state: z.enum(['open', 'over']).optional().meta({ description: 'Only those that go on, or are over.' }),
});

export const incidentShape = z
  .strictObject({
    incidentId: z.uuid(),
    kind: z.enum(INCIDENT_KINDS),
    state: z.enum(['open', 'over']),
    summary: z.string().meta({ description: 'What is wrong, with the counts behind it.' }),
    counts: z.record(z.string(), z.number()),
    about: z
      .strictObject({
        what: z.enum(['user', 'mentor', 'call', 'buddy', 'alert', 'error-class', 'line']),
        id: z.string().meta({ description: 'A subject, mentor, call or wellbeing alert of ours; or a class or line.' }),
      })
      .nullable()
      .meta({ description: 'Whom or what it is about; persons are shown to admins only. Null: everybody.' }),
    raisedAt: time,
    lastSeenAt: time,
    closedAt: time.nullable(),
    acknowledgedAt: time.nullable(),
    notices: z
      .array(
        z.strictObject({
          phase: z.enum(INCIDENT_PHASES),
          channel: z.enum(['email', 'webhook']),
          recipient: z.int().meta({ description: 'Which of the configured addresses, from 1.' }),
          state: z.enum(['waiting', 'told', 'given-up']),
          attempts: z.int(),
          lastError: z.string().nullable(),
          messageId: z.uuid().nullable().meta({ description: 'Of the e-mail: `GET /messages/{messageId}`.' }),
        }),
      )
      .meta({ description: 'Who was told, and when not, why not.' }),
  })
  .meta({ id: 'Incident' });

export const incidentPage = z
  .strictObject({ incidents: z.array(incidentShape), nextCursor })
  .meta({ id: 'IncidentPage' });
