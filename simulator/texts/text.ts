import { EventEmitter, setMaxListeners } from 'node:events';
import { newSid } from '../sids';
import type { TextDirection, TextEntry, TextStatus } from '../text-types';
import { segmentsOf } from './segments';

export interface TextOptions {
  readonly direction: TextDirection;
  readonly to: string;
  /** Null: a Messaging Service chooses. */
  readonly sender: string | null;
  readonly serviceSid: string | null;
  readonly body: string;
  readonly statusCallback: string | null;
  /** How long it may wait to be sent. */
  readonly validitySeconds: number;
}

/** A text as it is kept over restarts. */
export interface SavedText extends TextEntry {
  readonly updatedAt: string;
  readonly validitySeconds: number;
}

/** Nothing follows these by itself; a receipt that comes late all the same may still change them. */
const OVER: ReadonlySet<TextStatus> = new Set(['delivered', 'undelivered', 'failed', 'received']);
const UNSENT: ReadonlySet<TextStatus> = new Set(['accepted', 'queued', 'sending']);

/** One Message resource. It knows its state; it decides nothing. */
export class Text extends EventEmitter<{ status: [] }> {
  readonly sid: string;
  readonly direction: TextDirection;
  readonly to: string;
  sender: string | null;
  readonly serviceSid: string | null;
  readonly body: string;
  readonly segments: number;
  readonly statusCallback: string | null;
  readonly validitySeconds: number;
  readonly createdAt: Date;
  status: TextStatus;
  errorCode: number | null = null;
  redacted = false;
  updatedAt: Date;
  sentAt: Date | null = null;
  arrivedAt: Date | null = null;
  endedAt: Date | null = null;
  /** Aborted when it is forgotten: nothing happens to it any more. */
  private readonly gone = new AbortController();

  constructor(options: TextOptions & { readonly sid?: string; readonly createdAt?: Date }) {
    super();
    this.sid = options.sid ?? newSid('SM');
    this.direction = options.direction;
    this.to = options.to;
    this.sender = options.sender;
    this.serviceSid = options.serviceSid;
    this.body = options.body;
    this.segments = segmentsOf(options.body);
    this.statusCallback = options.statusCallback;
    this.validitySeconds = options.validitySeconds;
    this.createdAt = options.createdAt ?? new Date();
    this.updatedAt = this.createdAt;
    this.status = options.direction === 'inbound' ? 'receiving' : options.serviceSid === null ? 'queued' : 'accepted';
    setMaxListeners(0, this.gone.signal);
  }

  /** What the resource shows as `from`: empty until a service's message is sent. */
  get from(): string | null {
    return this.serviceSid !== null && UNSENT.has(this.status) ? null : this.sender;
  }

  /** The phone at the far end. */
  get handset(): string {
    return this.direction === 'inbound' ? (this.sender ?? '') : this.to;
  }

  get isOver(): boolean {
    return OVER.has(this.status);
  }

  get isUnsent(): boolean {
    return UNSENT.has(this.status);
  }

  get forgotten(): AbortSignal {
    return this.gone.signal;
  }

  move(status: TextStatus, errorCode: number | null = null): void {
    const now = new Date();
    this.status = status;
    this.errorCode = errorCode;
    this.updatedAt = now;
    if (status === 'sent') this.sentAt = now;
    if (status === 'received') this.sentAt = now;
    if (status === 'delivered' || status === 'received') this.arrivedAt ??= now;
    if (this.isOver) this.endedAt = now;
    this.emit('status');
  }

  redact(): void {
    this.redacted = true;
    this.updatedAt = new Date();
  }

  forget(): void {
    this.gone.abort();
  }

  entry(): TextEntry {
    return {
      sid: this.sid,
      direction: this.direction,
      to: this.to,
      sender: this.sender,
      messagingServiceSid: this.serviceSid,
      body: this.body,
      redacted: this.redacted,
      segments: this.segments,
      status: this.status,
      errorCode: this.errorCode,
      createdAt: this.createdAt.toISOString(),
      sentAt: this.sentAt?.toISOString() ?? null,
      arrivedAt: this.arrivedAt?.toISOString() ?? null,
      endedAt: this.endedAt?.toISOString() ?? null,
      statusCallback: this.statusCallback,
    };
  }

  saved(): SavedText {
    return { ...this.entry(), updatedAt: this.updatedAt.toISOString(), validitySeconds: this.validitySeconds };
  }

  /** A text of an earlier process, in the state it was in: Twilio's queue outlives a restart. */
  static restore(saved: SavedText): Text {
    const { sid, direction, to, sender, body, statusCallback, validitySeconds } = saved;
    const text = new Text({
      sid,
      direction,
      to,
      sender,
      serviceSid: saved.messagingServiceSid,
      body,
      statusCallback,
      validitySeconds,
      createdAt: new Date(saved.createdAt),
    });
    text.status = saved.status;
    text.errorCode = saved.errorCode;
    text.redacted = saved.redacted;
    text.updatedAt = new Date(saved.updatedAt);
    text.sentAt = dateOf(saved.sentAt);
    text.arrivedAt = dateOf(saved.arrivedAt);
    text.endedAt = dateOf(saved.endedAt);
    return text;
  }
}

function dateOf(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
