/**
 * How long things are kept: the one table of it. The sweep, the configuration's defaults and the table of
 * docs/retention.md are held against it. Periods are milliseconds; each has its reason.
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const TEN_YEARS = 3_650 * DAY;

/** What the retention sweep walks, in this order: rows first, then the sealed records that nothing names any more. */
export const SWEPT_KINDS = [
  // At the provider, which alone has the sound.
  'recordings',
  'call-recordings',
  'recording-links',
  'mentor-calls',
  'voice-alerts',
  'messages',
  'mail-links',
  'message-batches',
  'contact-point-codes',
  'inbound-texts',
  'open-questions',
  'opt-outs',
  'provider-blocks',
  'app-events',
  'webhook-events',
  'dispatches',
  'costs',
  'check-ins',
  'unverified-buddies',
  'ended-buddies',
  'wellbeing-scores',
  'wellbeing-alerts',
  'silent-contacts',
  'ended-contacts',
  'vault-records',
  'incidents',
  'ring-notes',
  'mentor-invitations',
  'retention-runs',
] as const;
export type SweptKind = (typeof SWEPT_KINDS)[number];

/**
 * `anonymised`: its facts go on under a new random id. `forgotten`: the row stays and no longer says whom it was for.
 * `destroyed`: a sealed record, with its key.
 */
type Ending = 'anonymised' | 'forgotten' | 'deleted' | 'destroyed' | 'kept';

export interface Kept {
  /** Completes "is kept:"; for the docs. */
  readonly what: string;
  /** Where the period begins. */
  readonly from: string;
  readonly defaultMs: number;
  /** What it may be configured to, both included; null: it is fixed. */
  readonly bounds: readonly [atLeastMs: number, atMostMs: number] | null;
  readonly tables: readonly string[];
  readonly ending: Ending;
  /** The parts of the sweep that end it; none: the record knows its own time, and the sweep of each minute destroys it. */
  readonly kinds: readonly SweptKind[];
}

const kept = (row: Kept): Kept => row;

export const KEPT = {
  numberForOneCall: kept({
    what: 'a number given for one call',
    from: 'the request; it goes with the call and its ring-back window, and at the latest then',
    defaultMs: DAY,
    // Promised to the person: a day at most.
    bounds: [HOUR, DAY],
    tables: ['vault_records'],
    ending: 'destroyed',
    kinds: [],
  }),
  callLog: kept({
    what: 'a mentor call: who, when, with whom, its offers, legs and SIDs',
    from: 'its end',
    defaultMs: 90 * DAY,
    // By then its legs have their price, and Twilio has forgotten it.
    bounds: [7 * DAY, TEN_YEARS],
    tables: [
      'call_logs',
      'mentor_offers',
      'call_quality',
      'call_feedback',
      'call_recordings',
      'dispatches',
      'webhook_events',
      'app_events',
      'costs',
      'open_questions',
    ],
    ending: 'anonymised',
    kinds: ['call-recordings', 'mentor-calls'],
  }),
  recording: kept({
    what: 'a recorded conversation, at Twilio, which alone has it',
    from: 'when the mentor agreed to it',
    defaultMs: 30 * DAY,
    // Promised to whoever agrees.
    bounds: [DAY, 30 * DAY],
    tables: ['call_recordings'],
    ending: 'deleted',
    kinds: ['recordings'],
  }),
  recordingLink: kept({
    what: 'a link to a recording: it opens once, within minutes',
    from: 'its end',
    defaultMs: DAY,
    bounds: [HOUR, 90 * DAY],
    tables: ['recording_links'],
    ending: 'deleted',
    kinds: ['recording-links'],
  }),
  alert: kept({
    what: 'a voice alert with its recipients and calls',
    from: 'its end',
    defaultMs: 90 * DAY,
    bounds: [DAY, TEN_YEARS],
    tables: ['voice_alerts', 'voice_alert_recipients', 'call_logs'],
    ending: 'deleted',
    kinds: ['voice-alerts'],
  }),
  messageBody: kept({
    what: 'the words of a message, or what was filled into its template',
    from: 'the time it must be sent by',
    defaultMs: 90 * DAY,
    bounds: [DAY, TEN_YEARS],
    tables: ['vault_records'],
    ending: 'destroyed',
    kinds: [],
  }),
  messageLog: kept({
    what: 'the row of a message, and the link in its e-mail by which no more is asked for',
    from: 'its end',
    defaultMs: 90 * DAY,
    bounds: [DAY, TEN_YEARS],
    tables: ['messages', 'unsubscribe_links'],
    ending: 'deleted',
    kinds: ['messages', 'mail-links'],
  }),
  messageBatch: kept({
    what: 'a batch with its rows, whose counts would be wrong without its messages',
    from: 'its end; of one that was never started from when it was given',
    defaultMs: 90 * DAY,
    bounds: [DAY, TEN_YEARS],
    tables: ['message_batches', 'message_batch_rows'],
    ending: 'deleted',
    kinds: ['message-batches'],
  }),
  batchRow: kept({
    what: 'a row of a batch as it was given; who has not started it by then uploads it again',
    from: 'the upload',
    defaultMs: 7 * DAY,
    bounds: [DAY, 90 * DAY],
    tables: ['vault_records'],
    ending: 'destroyed',
    kinds: [],
  }),
  numberForOneMessage: kept({
    what: 'a number or address given for one message; what is left is for its fallback',
    from: 'the time it must be sent by',
    defaultMs: DAY,
    bounds: [HOUR, 7 * DAY],
    tables: ['vault_records'],
    ending: 'destroyed',
    kinds: [],
  }),
  contactPointCode: kept({
    what: 'a code that shows whose a number is: it counts for minutes, and is itself counted for an hour',
    from: 'when it was sent',
    defaultMs: DAY,
    bounds: [2 * HOUR, 90 * DAY],
    tables: ['contact_point_codes'],
    ending: 'deleted',
    kinds: ['contact-point-codes'],
  }),
  inboundText: kept({
    what: 'a text to one of our numbers: who wrote what, and what it was about',
    from: 'its arrival; of a question from when it was asked',
    defaultMs: 90 * DAY,
    bounds: [DAY, TEN_YEARS],
    tables: ['inbound_texts', 'open_questions', 'vault_records'],
    ending: 'deleted',
    kinds: ['inbound-texts', 'open-questions'],
  }),
  liftedOptOut: kept({
    what: 'an opt-out or a block that was taken back; one that stands is never forgotten',
    from: 'when it was taken back',
    defaultMs: 90 * DAY,
    bounds: [DAY, TEN_YEARS],
    tables: ['opt_outs', 'provider_blocks'],
    ending: 'deleted',
    kinds: ['opt-outs', 'provider-blocks'],
  }),
  appEvent: kept({
    what: 'what the app was told: somebody may want it sent again, or a stream go on from it',
    from: 'when it happened',
    defaultMs: 30 * DAY,
    bounds: [2 * DAY, TEN_YEARS],
    tables: ['app_events'],
    ending: 'deleted',
    kinds: ['app-events'],
  }),
  webhookEvent: kept({
    what: 'what Twilio told us, handled or not',
    from: 'its arrival',
    defaultMs: 90 * DAY,
    // A repeat is known by the first copy, and costs are made from these.
    bounds: [7 * DAY, TEN_YEARS],
    tables: ['webhook_events'],
    ending: 'deleted',
    kinds: ['webhook-events'],
  }),
  recipientOfDispatch: kept({
    what: 'whom a call, text or mail went to; the act itself stays, so that it is never done twice',
    from: 'the act',
    defaultMs: 90 * DAY,
    bounds: [7 * DAY, TEN_YEARS],
    tables: ['dispatches'],
    ending: 'forgotten',
    kinds: ['dispatches'],
  }),
  costItem: kept({
    what: 'which leg or text a cost was for; month, kind, country and amount stay',
    from: 'the call or text',
    defaultMs: 90 * DAY,
    // By then the provider has told its price, or never will.
    bounds: [30 * DAY, TEN_YEARS],
    tables: ['costs'],
    ending: 'forgotten',
    kinds: ['costs'],
  }),
  checkIn: kept({
    what: 'what a buddy was asked, and what they answered',
    from: 'its end',
    defaultMs: 90 * DAY,
    bounds: [2 * DAY, TEN_YEARS],
    tables: ['buddy_check_in_requests', 'vault_records'],
    ending: 'deleted',
    kinds: ['check-ins'],
  }),
  unverifiedBuddy: kept({
    what: 'a buddy who has never answered, as a person',
    from: 'when their last link ran out; of one who was never asked from when they were named',
    defaultMs: 30 * DAY,
    // How often one person may be asked within 30 days is counted from these.
    bounds: [30 * DAY, 365 * DAY],
    tables: ['buddy_contacts', 'buddy_invitations', 'buddy_verification_audit', 'vault_records'],
    ending: 'deleted',
    kinds: ['unverified-buddies'],
  }),
  endedBuddy: kept({
    what: 'a buddy who has declined, withdrawn or was removed, as a person; that they do not want to be asked is never forgotten',
    from: 'that',
    defaultMs: 90 * DAY,
    bounds: [30 * DAY, TEN_YEARS],
    tables: [
      'buddy_contacts',
      'buddy_invitations',
      'buddy_verification_audit',
      'buddy_check_in_requests',
      'vault_records',
    ],
    ending: 'deleted',
    kinds: ['ended-buddies'],
  }),
  wellbeingScore: kept({
    what: 'how somebody was, as the analysis has measured it: an older score says nothing about now',
    from: 'the measurement',
    defaultMs: 14 * DAY,
    // Alerts are judged by scores of so many days.
    bounds: [14 * DAY, 90 * DAY],
    tables: ['wellbeing_scores'],
    ending: 'deleted',
    kinds: ['wellbeing-scores'],
  }),
  wellbeingAlert: kept({
    what: 'that others were asked to look after somebody, why, and how each step went',
    from: 'its end',
    defaultMs: 90 * DAY,
    // How soon there may be another one is counted from these.
    bounds: [7 * DAY, TEN_YEARS],
    tables: ['wellbeing_alerts', 'wellbeing_alert_steps'],
    ending: 'deleted',
    kinds: ['wellbeing-alerts'],
  }),
  silentContact: kept({
    what: 'a registered contact who has never agreed, as a person',
    from: 'when they were told; of one who could not be told from when they were named',
    defaultMs: 30 * DAY,
    // How often one person may be named within 30 days is counted from these.
    bounds: [30 * DAY, 365 * DAY],
    tables: ['registered_contacts', 'vault_records'],
    ending: 'deleted',
    kinds: ['silent-contacts'],
  }),
  endedContact: kept({
    what: 'a registered contact who has refused or was removed, as a person; that they do not want to be asked is never forgotten',
    from: 'that',
    defaultMs: 90 * DAY,
    bounds: [30 * DAY, TEN_YEARS],
    tables: ['registered_contacts', 'vault_records'],
    ending: 'deleted',
    kinds: ['ended-contacts'],
  }),
  unreferencedRecord: kept({
    what: 'a sealed record that no row names: the request was sealed, and its workflow never began',
    from: 'when it was sealed',
    defaultMs: 7 * DAY,
    // Temporal may be down for days, and then the workflow begins.
    bounds: [7 * DAY, 90 * DAY],
    tables: ['vault_records'],
    ending: 'destroyed',
    kinds: ['vault-records'],
  }),
  incident: kept({
    what: 'what the watchdog has found, and who was told of it',
    from: 'its end',
    defaultMs: 90 * DAY,
    bounds: [DAY, TEN_YEARS],
    tables: ['incidents', 'incident_notices'],
    ending: 'deleted',
    kinds: ['incidents'],
  }),
  sweepRun: kept({
    what: 'what a run of this sweep did',
    from: 'its start',
    defaultMs: 90 * DAY,
    bounds: [7 * DAY, TEN_YEARS],
    tables: ['retention_runs', 'retention_progress'],
    ending: 'deleted',
    kinds: ['retention-runs'],
  }),
  refusedRequest: kept({
    what: 'that somebody asked for a call more often than the limits allow; the watchdog, which alone reads it, deletes it',
    from: 'the request',
    defaultMs: DAY,
    bounds: null,
    tables: ['refused_requests'],
    ending: 'deleted',
    kinds: [],
  }),
  mentorException: kept({
    what: "a mentor's day away or single shift; it goes when shifts are next made from the hours",
    from: 'its end',
    defaultMs: 90 * DAY,
    bounds: null,
    tables: ['mentor_exceptions'],
    ending: 'deleted',
    kinds: [],
  }),
  ringNote: kept({
    what: 'a mentor’s word that a ring came while they were busy; staff have long seen it, or nobody will',
    from: 'when it was noted',
    defaultMs: 90 * DAY,
    bounds: null,
    tables: ['mentor_ring_notes'],
    ending: 'deleted',
    kinds: ['ring-notes'],
  }),
  mentorInvitation: kept({
    what: 'an invitation of a mentor, used or not: who has invited whom, and when',
    from: 'the time until which it counted',
    defaultMs: 90 * DAY,
    bounds: null,
    tables: ['mentor_invitations'],
    ending: 'deleted',
    kinds: ['mentor-invitations'],
  }),
  audit: kept({
    what: 'the audit trail: its chain holds only as long as every entry is there, so nothing here takes one',
    from: 'the entry, at the least',
    defaultMs: 7 * 365 * DAY,
    bounds: null,
    tables: ['audit_entries', 'audit_chain'],
    ending: 'kept',
    kinds: [],
  }),
} as const;

export type PeriodName = keyof typeof KEPT;
/** Milliseconds, as configured. */
export type RetentionPeriods = Readonly<Record<PeriodName, number>>;

/** The defaults. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the names are those of the table
export const RETENTION = Object.fromEntries(
  Object.entries(KEPT).map(([name, { defaultMs }]) => [name, defaultMs]),
) as RetentionPeriods;

/** `RETENTION_CALL_LOG` for `callLog`. */
export function retentionVariable(name: PeriodName): string {
  return `RETENTION_${name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

/** How long this part of the sweep leaves a row alone. @throws {Error} for a part that no row of the table has */
export function periodOf(kind: SweptKind, periods: RetentionPeriods): number {
  for (const [name, row] of Object.entries(KEPT)) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
    if (row.kinds.includes(kind)) return periods[name as PeriodName];
  }
  throw new Error('A part of the retention sweep has no period');
}

/** After so long without a whole run the sweep is stale: one day was missed, and the next one too. */
export const SWEEP_STALE_AFTER_MS = 2 * DAY;
