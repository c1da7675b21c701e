import type { z } from 'zod';
import type { RouteName } from './authorisation';
import { ALERT_OPERATIONS } from './openapi-for-alerts';
import { APP_OPERATIONS } from './openapi-for-apps';
import { CHECK_IN_OPERATIONS } from './openapi-for-check-ins';
import { BUDDY_RIGHTS_OPERATIONS } from './openapi-for-buddy-rights';
import { BUDDY_OPERATIONS } from './openapi-for-buddies';
import { COST_OPERATIONS } from './openapi-for-costs';
import { INCIDENT_OPERATIONS } from './openapi-for-incidents';
import { EVENT_OPERATIONS } from './openapi-for-events';
import { FEEDBACK_OPERATIONS } from './openapi-for-feedback';
import { BATCH_OPERATIONS } from './openapi-for-batches';
import { SERVICE_OPERATIONS } from './openapi-for-everybody';
import { MENTOR_OPERATIONS } from './openapi-for-mentors';
import { MESSAGE_OPERATIONS } from './openapi-for-messages';
import { RECORDING_OPERATIONS } from './openapi-for-recordings';
import { RETENTION_OPERATIONS } from './openapi-for-retention';
import { INVITATION_OPERATIONS, PAGE_OPERATIONS } from './openapi-for-pages';
import { STAFF_OPERATIONS } from './openapi-for-staff';
import { TWILIO_OPERATIONS } from './openapi-for-twilio';
import { VOICE_OPERATIONS } from './openapi-for-voice';
import { REGISTERED_CONTACT_OPERATIONS } from './openapi-for-registered-contacts';
import { WELLBEING_OPERATIONS } from './openapi-for-wellbeing';
import { WORDS_OPERATIONS } from './openapi-for-words';
import type { ProblemCode } from './problems';

/** What the document says of a route beyond what the table of rules says: words, shapes, examples. */
export interface Operation {
  /** Names the operation in generated clients. */
  readonly id: string;
  readonly tag:
    | 'Calls'
    | 'Recordings'
    | 'Messages'
    | 'Alerts'
    | 'Buddies'
    | 'Contact points'
    | 'Mentors'
    | 'Batches'
    | 'Switches'
    | 'Templates'
    | 'Preferences'
    | 'Wellbeing'
    | 'Costs'
    | 'Retention'
    | 'Events'
    | 'Incidents'
    | 'Pages'
    | 'Service'
    | 'Twilio';
  readonly summary: string;
  readonly description?: string;
  readonly query?: z.ZodObject;
  readonly body?: {
    readonly schema: z.ZodType;
    readonly examples: Readonly<Record<string, unknown>>;
    /** Also taken as `text/csv`; says what its columns are. */
    readonly csv?: { readonly description: string; readonly example: string };
  };
  /** Takes an `Idempotency-Key`. */
  readonly isRepeatable?: true;
  /** Wants `If-Match`. */
  readonly isEdit?: true;
  readonly answers: Readonly<Record<number, OperationAnswer>>;
  /** Beyond those that every route of its kind has. */
  readonly problems?: readonly ProblemCode[];
}

export interface OperationAnswer {
  readonly description: string;
  /** By media type; null where the content is not JSON. */
  readonly content?: Readonly<Record<string, z.ZodType | null>>;
  readonly example?: unknown;
  readonly headers?: readonly ('ETag' | 'Location')[];
}

/** A route without an entry does not compile. */
export const OPERATIONS: Readonly<Record<RouteName, Operation>> = {
  ...APP_OPERATIONS,
  ...FEEDBACK_OPERATIONS,
  ...VOICE_OPERATIONS,
  ...BATCH_OPERATIONS,
  ...MESSAGE_OPERATIONS,
  ...ALERT_OPERATIONS,
  ...CHECK_IN_OPERATIONS,
  ...RECORDING_OPERATIONS,
  ...STAFF_OPERATIONS,
  ...MENTOR_OPERATIONS,
  ...BUDDY_RIGHTS_OPERATIONS,
  ...BUDDY_OPERATIONS,
  ...COST_OPERATIONS,
  ...RETENTION_OPERATIONS,
  ...EVENT_OPERATIONS,
  ...INCIDENT_OPERATIONS,
  ...WORDS_OPERATIONS,
  ...WELLBEING_OPERATIONS,
  ...REGISTERED_CONTACT_OPERATIONS,
  ...INVITATION_OPERATIONS,
  ...PAGE_OPERATIONS,
  ...SERVICE_OPERATIONS,
  ...TWILIO_OPERATIONS,
};
