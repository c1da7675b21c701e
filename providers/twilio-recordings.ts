import { orNullWhenUnknown, translated } from './translated';
import { createTwilioClient, type TwilioAccount } from './twilio-client';
import { NoAnswer, RefusedAnswer } from './twilio-http';
import { type Media, openTwilioMedia } from './twilio-media';
import { type Price, readPrice } from './twilio-price';

/** A recording as the provider knows it. */
export interface ProviderRecording {
  readonly sid: string;
  readonly status: string;
  readonly dateCreated: Date | null;
  readonly durationSeconds: number | null;
  /** By our own request, not by a verb of TwiML. */
  readonly isAskedFor: boolean;
  readonly isEncrypted: boolean;
  readonly price: Price | null;
}

/** Recordings as the service needs them. Every method throws a `ProviderError` and nothing else. */
export interface RecordingProvider {
  /** Begins to record a leg and all it hears. Never asked twice by itself: the dispatch rule chooses. */
  start(leg: { readonly callSid: string; readonly statusCallback: string }): Promise<{ sid: string }>;
  /** All of one leg; eventually consistent, as all lists are. */
  listOf(callSid: string): Promise<ProviderRecording[]>;
  /** Ends it while the leg goes on. One that is over, or unknown, is fine. */
  stop(callSid: string, sid: string): Promise<void>;
  /** Null when the provider does not know it (any more). */
  read(sid: string): Promise<ProviderRecording | null>;
  /** The newest one of the account; null when there is none. */
  newest(): Promise<ProviderRecording | null>;
  /** Deletes it with its sound. An unknown one is fine; one that still goes on is refused. */
  delete(sid: string): Promise<void>;
  /** Its sound as it comes; null when the provider does not know it. `signal` ends it at the provider too. */
  open(sid: string, signal: AbortSignal): Promise<Media | null>;
  close(): void;
}

/** More than this on one leg are not ours alone to explain. */
const LISTED = 50;

/** `twilio`'s own client over our HTTP client, its errors translated at this edge. */
export function createTwilioRecordings(account: TwilioAccount, options: { httpTimeoutMs: number }): RecordingProvider {
  const { client, http } = createTwilioClient(account, options);
  return {
    start: ({ callSid, statusCallback }) =>
      translated('start-recording', async () => {
        const created = await client.calls(callSid).recordings.create({
          recordingStatusCallback: statusCallback,
          recordingStatusCallbackMethod: 'POST',
          recordingStatusCallbackEvent: ['in-progress', 'completed', 'absent'],
        });
        // A success without a SID cannot be told from a lost answer.
        if (!/^RE[0-9a-f]{32}$/i.test(created.sid ?? '')) throw new NoAnswer(true);
        return { sid: created.sid };
      }),

    listOf: (callSid) =>
      translated('list-recordings', async () =>
        (await client.calls(callSid).recordings.list({ pageSize: LISTED, limit: LISTED })).map(asRecording),
      ),

    stop: (callSid, sid) =>
      translated('stop-recording', async () => {
        try {
          await orNullWhenUnknown(client.calls(callSid).recordings(sid).update({ status: 'stopped' }));
        } catch (error) {
          // 21220: the call is not in progress, and with it the recording has ended.
          if (!(error instanceof RefusedAnswer && error.code === 21220)) throw error;
        }
      }),

    read: (sid) =>
      translated('read-recording', async () => {
        const recording = await orNullWhenUnknown(client.recordings(sid).fetch());
        return recording && asRecording(recording);
      }),

    newest: () =>
      translated('list-recordings', async () => {
        const [recording] = await client.recordings.list({ pageSize: 1, limit: 1 });
        return recording === undefined ? null : asRecording(recording);
      }),

    delete: (sid) =>
      translated('delete-recording', async () => {
        await orNullWhenUnknown(client.recordings(sid).remove());
      }),

    open: (sid, signal) => translated('open-recording', () => openTwilioMedia(account, sid, { ...options, signal })),

    close: () => http.close(),
  };
}

interface Told {
  readonly sid: string;
  readonly status: string;
  readonly source: string;
  readonly dateCreated: Date | null;
  readonly duration: string | null;
  readonly encryptionDetails: unknown;
  readonly price: string | number | null;
  readonly priceUnit: string | null;
}

function asRecording(told: Told): ProviderRecording {
  const { dateCreated } = told;
  const seconds = Number.parseInt(told.duration ?? '', 10);
  return {
    sid: told.sid,
    status: told.status,
    dateCreated: dateCreated instanceof Date && !Number.isNaN(dateCreated.valueOf()) ? dateCreated : null,
    durationSeconds: Number.isNaN(seconds) || seconds < 0 ? null : seconds,
    isAskedFor: told.source === 'StartCallRecordingAPI',
    isEncrypted: told.encryptionDetails !== null && told.encryptionDetails !== undefined,
    price: readPrice(told.price === null ? null : String(told.price), told.priceUnit),
  };
}
