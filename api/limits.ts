/** How much and how long, in one place. Times are milliseconds, sizes bytes. */

/** A hundred times the largest honest body. */
export const JSON_BODY = 100_000;
/** Four times the deepest honest body. What walks through a body recursively would run out of stack far above it. */
export const JSON_DEPTH = 16;
/** Ten thousand recipients with four hundred bytes each, as JSON or as a CSV. */
export const BATCH_BODY = 4_000_000;
/** A calendar of a year's shifts, as JSON text. */
export const CALENDAR_BODY = 400_000;
/** The longest line of a CSV, and so what its parser holds at most. */
export const CSV_LINE = 20_000;
/** A form of our pages: a code, an id, and what proves that it is ours; or a note of 500 characters in any script. */
export const FORM_BODY = 8_000;
/** Twilio's own forms are below 5 kB. */
export const WEBHOOK_BODY = 64_000;
/** SNS carries 256 kB at most, and quotes it. */
export const SNS_BODY = 300_000;

/** A client that sends slowly holds a connection no longer than this. */
export const SERVER_TIMEOUTS = { headersTimeout: 10_000, requestTimeout: 30_000, keepAliveTimeout: 65_000 } as const;
/** How long requests that are under way may take when the process is told to end. */
export const DRAIN_WITHIN = 8_000;

/** A TwiML question in all: a person is listening to silence, and Twilio gives up after 15 s. */
export const ANSWER_WITHIN = 4_000;
/** What is kept back of it for revealing a number and writing the answer. */
export const KEPT_FOR_THE_ANSWER = 700;
/** How often "one moment" is said before we stop relying on anything but memory. */
export const MOST_LOOPS = 4;
/** How often the user is asked for key 1. */
export const GREETINGS = 2;
/** Adopting the leg, and knowing who calls us, are worth waiting for, but not at the price of silence. */
export const LOOK_UP_WITHIN = 1_500;

/** Storing an event; then Twilio is told to come again, well before it gives up by itself after 15 s. */
export const STORE_WITHIN = 5_000;
/** The workflow is told of an event within this, or the relay of the worker tells it. */
export const SIGNAL_WITHIN = 1_000;
/** A press of a button on the page behind a link: the person is looking at it. */
export const PRESS_WITHIN = 5_000;
/** Counting requests; then each process counts for itself, and asks Postgres again after the rest. */
export const RATES_WITHIN = 400;
export const RATES_REST = 1_000;
/** A probe of `/health` that takes longer than this counts as down. */
export const PROBE_WITHIN = 1_000;

/** Five hundred scores. */
export const SCORES_BODY = 200_000;
export const MOST_SCORES = 500;
/** How far ahead of ours the clock of whoever measures may be. */
export const CLOCK_SKEW = 5 * 60_000;

/** More contact points than this would be a way to store other people's numbers. */
export const MOST_CONTACT_POINTS = 10;

/** What the codec server reads: fifty payloads as large as any of ours. */
export const CODEC_BODY = 1_000_000;
export const MOST_PAYLOADS = 200;
/** Operators behind one address share so many times what one may ask. */
export const ADDRESS_SHARE = 10;

/** How often the streams of this process ask for new events, all with one question. */
export const FEED_INTERVAL = 500;
/** Events that a stream reads at once. */
export const FEED_PAGE = 100;
/** A sign of life, so that no proxy takes a quiet stream for a dead one. */
export const STREAM_BEAT = 15_000;
/** A client that has taken nothing for so long has stopped reading. */
export const STREAM_PATIENCE = 30_000;
/** An app opens one; a few devices and reloads may overlap. For each process of the API. */
export const MOST_STREAMS_PER_PERSON = 5;
export const MOST_STREAMS = 5_000;
