/** How long things are kept, in milliseconds. Defaults of the design; each has its reason. */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const RETENTION = {
  /** A number given for one call: gone with the call and its ring-back window, and at the latest then. */
  numberForOneCall: 24 * HOUR,
  /** Call logs, then anonymised. */
  callLog: 90 * DAY,
  webhookEvent: 90 * DAY,
  /** The words of a message, or what was filled into its template. */
  messageBody: 90 * DAY,
  /** The row of a message, from its end. */
  messageLog: 90 * DAY,
  /** A batch and its rows, from its end; one that was never started, from when it was given. */
  messageBatch: 90 * DAY,
  /** A voice alert with its calls, from its end. */
  alert: 90 * DAY,
  /** The token of whom a call, text or mail went to; the act itself stays, so that it is never done twice. */
  recipientOfDispatch: 90 * DAY,
  /** A number or address given for one message: from the time it must be sent by; what is left is for its fallback. */
  numberForOneMessage: DAY,
  /** A code that shows whose a number is: it counts for minutes, and is itself counted for an hour. */
  contactPointCode: DAY,
  /** A text to one of our numbers: who wrote what, and what it was about. */
  inboundText: 90 * DAY,
  /** An opt-out that was taken back; one that stands is never forgotten. */
  liftedOptOut: 90 * DAY,
  /** Rows of a batch as they were given: who has not started it by then uploads it again. */
  batchRow: 7 * DAY,
  /** Records that no row names: the request was sealed, and its workflow never began. Temporal may be down for days. */
  unreferencedRecord: 7 * DAY,
  /** What the app was told: as long as somebody may want it sent again, or a stream wants to go on from it. */
  appEvent: 30 * DAY,
  audit: 7 * 365 * DAY,
} as const;
