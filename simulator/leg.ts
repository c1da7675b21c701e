import { EventEmitter, setMaxListeners } from 'node:events';
import { LegOver } from './clock';
import { newSid } from './sids';
import type { LedgerEntry, LegDirection, LegStatus } from './types';

/** Which document is asked for, and what is sent along beside the standard parameters. */
export interface DocumentRequest {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly params: Readonly<Record<string, string>>;
  /** TwiML given inline; then nothing is fetched. */
  readonly twiml?: string;
}

/** Thrown out of a leg's running program when new TwiML was given by REST. */
export class Redirected extends Error {
  constructor(readonly request: DocumentRequest) {
    super('the leg was given new TwiML');
    this.name = 'Redirected';
  }
}

export interface StatusCallback {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** Of initiated, ringing, answered, completed. */
  readonly events: ReadonlySet<string>;
}

/** A leg as it is kept over restarts. */
export interface SavedLeg extends LedgerEntry {
  readonly dialledAt: string | null;
  readonly answeredBy: string | null;
  readonly queueTimeMs: number;
}

export interface LegOptions {
  readonly direction: LegDirection;
  readonly to: string;
  readonly from: string;
  readonly parent?: Leg;
  readonly statusCallback?: StatusCallback;
  readonly fallback?: { readonly url: string; readonly method: 'GET' | 'POST' };
  readonly machineDetection?: { readonly mode: string; readonly asyncUrl: string | null };
}

interface LegEvents {
  status: [];
  words: [string];
  /** A Gather begins to listen; its phase. */
  gather: ['greeting' | 'whisper' | 'other'];
  key: [string];
  bridged: [];
  changed: [];
}

const OVER: ReadonlySet<LegStatus> = new Set(['completed', 'busy', 'failed', 'no-answer', 'canceled']);

/** One phone's part of a call, which is also one Call resource. It knows its state; it decides nothing. */
export class Leg extends EventEmitter<LegEvents> {
  readonly sid: string;
  readonly direction: LegDirection;
  readonly to: string;
  readonly from: string;
  readonly parent: Leg | null;
  readonly createdAt: Date;
  status: LegStatus;
  statusCallback: StatusCallback | null;
  fallback: LegOptions['fallback'] | null;
  readonly machineDetection: LegOptions['machineDetection'] | null;
  updatedAt: Date;
  dialledAt: Date | null = null;
  ringingAt: Date | null = null;
  answeredAt: Date | null = null;
  bridgedAt: Date | null = null;
  endedAt: Date | null = null;
  /** Estimate at creation, in milliseconds, as in the resource's `queue_time`. */
  queueTimeMs = 0;
  answeredBy: string | null = null;
  sipResponseCode: number | null = null;
  expectsKeys = false;
  wentToFallback = false;
  /** True once a document has been fetched: a Gather of a later one is no greeting. */
  documents = 0;
  bridged = false;
  /** All it hears and says is being recorded. */
  recorded = false;
  /** What to run when it is answered; a REST update may replace it while it still rings. */
  firstRequest: DocumentRequest | null = null;
  readonly heard: string[] = [];
  readonly pressed: string[] = [];
  readonly bridgedWith: string[] = [];
  readonly urls = new Set<string>();
  /** Ends with the leg, and takes every wait on it along. */
  private readonly over = new AbortController();
  /** The TwiML that runs now; aborted when REST gives it another. */
  private program: AbortController | null = null;

  constructor(options: LegOptions & { readonly sid?: string; readonly createdAt?: Date }) {
    super();
    this.sid = options.sid ?? newSid('CA');
    this.createdAt = options.createdAt ?? new Date();
    this.updatedAt = this.createdAt;
    this.setMaxListeners(0);
    setMaxListeners(0, this.over.signal);
    this.direction = options.direction;
    this.to = options.to;
    this.from = options.from;
    this.parent = options.parent ?? null;
    this.status = options.direction === 'inbound' ? 'ringing' : 'queued';
    this.statusCallback = options.statusCallback ?? null;
    this.fallback = options.fallback ?? null;
    this.machineDetection = options.machineDetection ?? null;
  }

  /** The phone at the far end: the caller of an inbound call, the callee of all others. */
  get handset(): string {
    return this.direction === 'inbound' ? this.from : this.to;
  }

  /** The number that phone shows. */
  get shownNumber(): string {
    return this.direction === 'inbound' ? this.to : this.from;
  }

  get isOver(): boolean {
    return OVER.has(this.status);
  }

  get isUp(): boolean {
    return this.status === 'in-progress';
  }

  /** Aborted with `LegOver` when the leg ends. */
  get ended(): AbortSignal {
    return this.over.signal;
  }

  /** @returns a signal for one program (a run of TwiML), aborted by the leg's end or by new TwiML */
  beginProgram(): AbortSignal {
    this.program = new AbortController();
    const signal = AbortSignal.any([this.over.signal, this.program.signal]);
    setMaxListeners(0, signal);
    return signal;
  }

  /** Interrupts the running program with new TwiML. */
  redirect(request: DocumentRequest): void {
    this.updatedAt = new Date();
    this.program?.abort(new Redirected(request));
  }

  /** Handed to the carrier: from now on it has a start time. */
  dial(): void {
    this.dialledAt = new Date();
    this.move('initiated');
  }

  /** The phone rings: from now on a person notices. */
  ring(): void {
    this.ringingAt = new Date();
    this.move('ringing');
  }

  /** Nothing when it is up or over already. */
  pickUp(): void {
    if (this.isOver || this.isUp) return;
    this.answeredAt = new Date();
    this.move('in-progress');
  }

  /** Ends the leg; the first end counts. */
  end(status: LegStatus, sipResponseCode?: number): void {
    if (this.isOver) return;
    this.endedAt = new Date();
    this.bridged = false;
    this.expectsKeys = false;
    this.sipResponseCode = sipResponseCode ?? (status === 'completed' ? 200 : 487);
    this.move(status);
    this.over.abort(new LegOver());
  }

  /** The phone at the far end hangs up, declines or gives up. */
  hangUp(): void {
    if (this.isUp) this.end('completed');
    else if (this.direction === 'inbound') this.end('canceled', 487);
    else this.end('busy', 603);
  }

  /** The network loses the line: neither end has hung up. */
  lose(): void {
    this.end('failed', 503);
  }

  hear(words: string): void {
    this.heard.push(words);
    this.emit('words', words);
    this.emit('changed');
  }

  /** Keys of a keypad; anything else in the text is ignored, as are keys on a line that is not up. */
  press(digits: string): void {
    for (const digit of digits.replace(/[^0-9*#]/g, '')) {
      if (!this.isUp) return;
      this.pressed.push(digit);
      this.emit('key', digit);
    }
    this.emit('changed');
  }

  /** A Gather listens now. */
  listen(phase: 'greeting' | 'whisper' | 'other'): void {
    this.expectsKeys = true;
    this.emit('gather', phase);
    this.emit('changed');
  }

  stopListening(): void {
    this.expectsKeys = false;
    this.emit('changed');
  }

  /** Bridged with another leg; `disconnect` when that is over and this leg stays up. */
  connect(other: Leg): void {
    this.bridged = true;
    this.bridgedAt ??= new Date();
    this.bridgedWith.push(other.sid);
    this.emit('bridged');
    this.emit('changed');
  }

  disconnect(): void {
    this.bridged = false;
    this.emit('changed');
  }

  noteRecorded(isRecorded: boolean): void {
    this.recorded = isRecorded;
    this.emit('changed');
  }

  ledgerEntry(): LedgerEntry {
    return {
      sid: this.sid,
      parentSid: this.parent?.sid ?? null,
      to: this.to,
      from: this.from,
      direction: this.direction,
      status: this.status,
      createdAt: this.createdAt.toISOString(),
      ringingAt: this.ringingAt?.toISOString() ?? null,
      answeredAt: this.answeredAt?.toISOString() ?? null,
      bridgedAt: this.bridgedAt?.toISOString() ?? null,
      endedAt: this.endedAt?.toISOString() ?? null,
      heard: [...this.heard],
      pressed: [...this.pressed],
      bridgedWith: [...this.bridgedWith],
      urls: [...this.urls],
      wentToFallback: this.wentToFallback,
      spoke: this.heard.length > 0 || this.bridgedWith.length > 0,
    };
  }

  saved(): SavedLeg {
    const { answeredBy, queueTimeMs } = this;
    return { ...this.ledgerEntry(), dialledAt: this.dialledAt?.toISOString() ?? null, answeredBy, queueTimeMs };
  }

  /** A leg of an earlier process. It is over, whatever it was. */
  static restore(saved: SavedLeg, parent: Leg | undefined): Leg {
    const { sid, direction, to, from } = saved;
    const createdAt = new Date(saved.createdAt);
    const leg = new Leg({ sid, direction, to, from, createdAt, ...(parent ? { parent } : {}) });
    leg.status = saved.status;
    leg.dialledAt = dateOf(saved.dialledAt);
    leg.ringingAt = dateOf(saved.ringingAt);
    leg.answeredAt = dateOf(saved.answeredAt);
    leg.bridgedAt = dateOf(saved.bridgedAt);
    leg.endedAt = dateOf(saved.endedAt);
    leg.answeredBy = saved.answeredBy;
    leg.queueTimeMs = saved.queueTimeMs;
    leg.wentToFallback = saved.wentToFallback;
    leg.heard.push(...saved.heard);
    leg.pressed.push(...saved.pressed);
    leg.bridgedWith.push(...saved.bridgedWith);
    for (const url of saved.urls) leg.urls.add(url);
    leg.end(leg.isUp ? 'completed' : 'failed');
    return leg;
  }

  private move(status: LegStatus): void {
    this.status = status;
    this.updatedAt = new Date();
    this.emit('status');
    this.emit('changed');
  }
}

function dateOf(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}
