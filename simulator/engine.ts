import type { Board } from './board';
import type { SavedState } from './calls-file';
import { Clock } from './clock';
import { DialBook } from './dial-book';
import { FaultPlan } from './faults';
import { Handsets } from './handsets';
import { Mailbox } from './mail/mailbox';
import { type DocumentRequest, Leg, type LegOptions } from './leg';
import { type OwnNumber, OwnNumbers } from './own-numbers';
import { PacingQueue } from './pacing';
import { ring } from './ringing';
import { followScript, isVoicemail } from './scripted-phone';
import { DEFAULT_SETTINGS, lagSource } from './settings';
import { Recordings } from './recordings/recordings';
import { reportProgress } from './status-callbacks';
import type { MessagingService } from './texts/messaging-services';
import type { TextNetwork } from './texts/text-network';
import { Texts } from './texts/texts';
import { type TwimlApp, TwimlApps } from './twiml-apps';
import { runProgram } from './twiml-runner';
import type { Exchange, LedgerEntry, Notification, Settings } from './types';
import { VoiceClients } from './voice-clients';
import { callParameters } from './webhook-parameters';
import { WebhookFailed, WebhookSender } from './webhook-sender';

export interface EngineOptions {
  readonly accountSid: string;
  readonly authToken: string;
  readonly numbers: readonly OwnNumber[];
  /** Numbers that answer by themselves, beside all short codes. */
  readonly helplines?: readonly string[];
  readonly services?: readonly MessagingService[];
  readonly apps?: readonly TwimlApp[];
  /** API key SID → secret: what voice tokens are signed with. */
  readonly apiKeys?: Readonly<Record<string, string>>;
  readonly settings?: Partial<Settings>;
}

/** A call as `POST Calls` asks for it, checked. */
export interface PlacedCall {
  readonly to: string;
  readonly from: string;
  readonly document: DocumentRequest;
  readonly ringSeconds: number;
  readonly timeLimitSeconds: number | null;
  readonly statusCallback: LegOptions['statusCallback'] | null;
  readonly fallback: LegOptions['fallback'] | null;
  readonly machineDetection: LegOptions['machineDetection'] | null;
}

/** Records of each kind that are kept: a simulator may run for days. */
const KEPT = 5_000;

/** The telephone network: places calls, runs what they are told, brings texts, remembers what happened. */
export class Engine implements Board, TextNetwork {
  readonly accountSid: string;
  readonly clock = new Clock();
  readonly faults = new FaultPlan();
  readonly dials = new DialBook();
  readonly handsets: Handsets;
  readonly webhooks: WebhookSender;
  readonly exchanges: Exchange[] = [];
  readonly notifications: Notification[] = [];
  readonly numbers: OwnNumbers;
  readonly apps: TwimlApps;
  readonly clients: VoiceClients;
  readonly texts: Texts;
  readonly mailbox = new Mailbox();
  readonly recordings = new Recordings(this);
  settings: Settings;
  private readonly pacing = new PacingQueue();
  private readonly legs = new Map<string, Leg>();
  /** SID → epoch milliseconds from which lists show it. */
  private readonly listedFrom = new Map<string, number>();
  private nextLag = () => 0;

  constructor(options: EngineOptions) {
    this.accountSid = options.accountSid;
    this.numbers = new OwnNumbers(options.accountSid, options.numbers);
    this.handsets = new Handsets(options.helplines ?? []);
    this.texts = new Texts(this, options.services ?? []);
    this.apps = new TwimlApps(options.accountSid, options.apps ?? []);
    this.clients = new VoiceClients(this, options.apiKeys ?? {});
    this.webhooks = new WebhookSender({ authToken: options.authToken, settings: () => this.settings });
    this.settings = DEFAULT_SETTINGS;
    this.change({ ...DEFAULT_SETTINGS, ...options.settings });
  }

  ownsNumber(number: string): boolean {
    return this.numbers.find(number) !== null;
  }

  /** True for a number that may be a caller id of a REST call. */
  canCall(number: string): boolean {
    const own = this.numbers.find(number);
    return own !== null && own.capabilities?.voice !== false;
  }

  addLeg(options: LegOptions): Leg {
    const leg = new Leg(options);
    this.legs.set(leg.sid, leg);
    this.listedFrom.set(leg.sid, leg.createdAt.getTime() + this.nextLag());
    if (leg.statusCallback) leg.urls.add(leg.statusCallback.url);
    if (leg.fallback) leg.urls.add(leg.fallback.url);
    reportProgress(this, leg);
    this.handsets.attach(leg);
    followScript(this, leg);
    return leg;
  }

  notify(about: { readonly sid: string }, code: number, message: string): void {
    keep(this.notifications, { code, message, sid: about.sid, at: new Date().toISOString() });
  }

  nextListLag(): number {
    return this.nextLag();
  }

  noteExchange(exchange: Exchange): void {
    keep(this.exchanges, exchange);
  }

  /** `POST Calls`: the call is queued at once and dialled when its turn comes. */
  placeCall(call: PlacedCall): Leg {
    const leg = this.addLeg({
      direction: 'outbound-api',
      to: call.to,
      from: call.from,
      ...(call.statusCallback ? { statusCallback: call.statusCallback } : {}),
      ...(call.fallback ? { fallback: call.fallback } : {}),
      ...(call.machineDetection ? { machineDetection: call.machineDetection } : {}),
    });
    leg.firstRequest = call.document;
    if (call.document.twiml === undefined) leg.urls.add(call.document.url);
    leg.queueTimeMs = Math.round(this.pacing.takePlace());
    // Not awaited: Twilio answers before it dials, and its first callback may overtake the answer.
    void this.runOutbound(leg, call);
    return leg;
  }

  /** A phone calls one of our numbers. @returns the leg, or null when the number is not ours */
  receiveCall(from: string, to: string): Leg | null {
    const own = this.numbers.find(to);
    if (!own) return null;
    // A number's own status callback reports the end only.
    const events = new Set(['completed']);
    const leg = this.addLeg({
      direction: 'inbound',
      to,
      from,
      ...(own.statusCallback
        ? { statusCallback: { url: own.statusCallback, method: own.statusCallbackMethod ?? 'POST', events } }
        : {}),
      ...(own.voiceFallbackUrl
        ? { fallback: { url: own.voiceFallbackUrl, method: own.voiceFallbackMethod ?? 'POST' } }
        : {}),
    });
    const { voiceUrl: url, voiceMethod: method = 'POST' } = own;
    this.answerBy(leg, url === undefined ? null : { url, method, params: {} });
    return leg;
  }

  /** An inbound call runs its first document. @param document null where nothing says what to do */
  answerBy(leg: Leg, document: DocumentRequest | null): void {
    if (document !== null) {
      void this.converse(leg, document);
      return;
    }
    this.notify(leg, 11100, 'what was called has no voice URL');
    leg.end('failed');
  }

  label(number: string, label: string): void {
    this.handsets.add(number, label);
  }

  /** @returns the leg, also while lists do not show it yet */
  find(sid: string): Leg | null {
    return this.legs.get(sid) ?? null;
  }

  /** Newest first. @param asLists leave out what a list does not show yet */
  all(asLists: boolean): Leg[] {
    const now = Date.now();
    const legs = [...this.legs.values()].toReversed();
    return asLists ? legs.filter((leg) => (this.listedFrom.get(leg.sid) ?? 0) <= now) : legs;
  }

  /** `DELETE Calls/{sid}`: gone from reads, lists and the ledger; its phone remembers. */
  forget(sid: string): void {
    this.legs.delete(sid);
    this.listedFrom.delete(sid);
  }

  /** What is kept over restarts. */
  state(): SavedState {
    const legs = [...this.legs.values()].map((leg) => leg.saved());
    const [texts, recordings] = [this.texts.state(), this.recordings.state()];
    return { legs, handsets: this.handsets.saved(), texts, recordings, mails: this.mailbox.list() };
  }

  restore(state: SavedState): void {
    this.handsets.restore(state.handsets);
    for (const saved of state.legs) {
      const leg = Leg.restore(saved, this.legs.get(saved.parentSid ?? ''));
      this.legs.set(leg.sid, leg);
      this.handsets.attach(leg);
    }
    this.texts.restore(state.texts);
    this.recordings.restore(state.recordings);
    this.mailbox.restore(state.mails);
  }

  ledger(): LedgerEntry[] {
    return [...this.legs.values()].map((leg) => leg.ledgerEntry());
  }

  /** Settings not named stay as they are. */
  change(settings: Partial<Settings>): void {
    this.settings = { ...this.settings, ...settings };
    this.clock.scale = this.settings.timeScale;
    if (settings.callsPerSecond !== undefined) this.pacing.setRate(settings.callsPerSecond);
    if (settings.messagesPerSecond !== undefined) this.texts.repace();
    if (settings.listLagMs !== undefined) this.nextLag = lagSource(settings.listLagMs);
  }

  /** Ends every call and forgets everything but the settings, without telling anybody. */
  reset(): void {
    this.faults.set([]);
    this.recordings.clear();
    for (const leg of this.legs.values()) {
      // The next test must not get callbacks of this one.
      leg.statusCallback = null;
      leg.fallback = null;
      leg.end(leg.isUp ? 'completed' : 'canceled');
    }
    this.texts.clear();
    this.mailbox.clear();
    this.legs.clear();
    this.listedFrom.clear();
    this.handsets.clear();
    this.dials.clear();
    for (const record of [this.exchanges, this.notifications, this.webhooks.records]) record.length = 0;
  }

  private async runOutbound(leg: Leg, call: PlacedCall): Promise<void> {
    try {
      await this.pacing.wait(leg.queueTimeMs, leg.ended);
    } catch {
      // Ended by REST while it waited: no phone has rung.
      return;
    }
    if (!(await ring(this, leg, call.ringSeconds))) return;
    if (call.timeLimitSeconds !== null) {
      this.clock.after(call.timeLimitSeconds * 1000, leg.ended, () => leg.end('completed'));
    }
    this.detectMachine(leg);
    await this.converse(leg, leg.firstRequest ?? call.document);
  }

  /** Runs the documents of a call; when they run out, Twilio hangs up. */
  private async converse(leg: Leg, first: DocumentRequest): Promise<void> {
    await runProgram(this, leg, first, 'call');
    leg.end('completed');
  }

  /** AnsweredBy goes with the first TwiML request, or to a URL of its own when the detection is asynchronous. */
  private detectMachine(leg: Leg): void {
    const asked = leg.machineDetection;
    if (!asked) return;
    const machine = asked.mode === 'DetectMessageEnd' ? 'machine_end_beep' : 'machine_start';
    leg.answeredBy = isVoicemail(this.handsets.scriptOf(leg.handset)) ? machine : 'human';
    const url = asked.asyncUrl;
    if (url === null) return;
    leg.urls.add(url);
    const params = { ...callParameters(leg, this.accountSid), AnsweredBy: leg.answeredBy };
    this.webhooks.send({ kind: 'callback', sid: leg.sid, url, method: 'POST', params }).catch((error: unknown) => {
      if (!(error instanceof WebhookFailed)) throw error;
      this.notify(leg, error.code, `machine detection callback: ${error.message}`);
    });
  }
}

function keep<T>(records: T[], record: T): void {
  records.push(record);
  if (records.length > KEPT) records.shift();
}
