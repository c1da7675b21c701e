import { ApiError } from '../api-errors';
import { PacingQueue } from '../pacing';
import { TwimlFailure } from '../twiml-parser';
import type { OptOutEntry, ScriptedReceipt, TextEntry, TextScript } from '../text-types';
import { askAboutText, type Reply } from './inbound-text';
import { countryOf, type MessagingService, MessagingServices, type StickyChoice } from './messaging-services';
import { CARRIER_ANSWERS, keywordIn, OptOuts } from './opt-outs';
import { type SavedText, Text, type TextOptions } from './text';
import type { TextNetwork } from './text-network';
import { MOST_VALIDITY_SECONDS, type PlacedText } from './text-parameters';
import { reportReceipts } from './text-receipts';

/** What of texts outlives a restart. */
export interface SavedTexts {
  readonly texts: readonly SavedText[];
  readonly optOuts: readonly OptOutEntry[];
  readonly stickySenders: readonly StickyChoice[];
}

/** Twilio's messaging: queues, sends, remembers who wants nothing, brings texts both ways. */
export class Texts {
  readonly services: MessagingServices;
  readonly optOuts = new OptOuts();
  private readonly texts = new Map<string, Text>();
  /** SID → epoch milliseconds from which lists show it. */
  private readonly listedFrom = new Map<string, number>();
  private readonly queues = new Map<string, PacingQueue>();
  /** How often a script has decided over a text, and how often its phone has answered one. */
  private used = new WeakMap<object, number>();

  constructor(
    private readonly network: TextNetwork,
    services: readonly MessagingService[],
  ) {
    this.services = new MessagingServices(services);
  }

  /**
   * `POST Messages`: queued at once, sent when its turn comes.
   * @throws ApiError 400 for what depends on the account, the recipient or the queue
   */
  place(placed: PlacedText): Text {
    const { to, from, serviceSid } = placed;
    const service = serviceSid === null ? null : this.serviceFor(serviceSid, from);
    if (service === null && (from === null || !this.canText(from))) {
      throw new ApiError(400, 21606, "The 'From' phone number provided is not a valid, message-capable Twilio number.");
    }
    const { textCountries } = this.network.settings;
    if (textCountries !== null && !textCountries.includes(countryOf(to))) {
      throw new ApiError(400, 21408, 'Permission to send an SMS has not been enabled for the region of the number.');
    }
    if (this.isBlocked(service, from, to)) {
      throw new ApiError(400, 21610, 'Attempt to send to unsubscribed recipient');
    }
    const script = this.scriptFor(to, true);
    if (script?.outcome === 'refused') {
      const code = script.errorCode ?? 21614;
      throw new ApiError(400, code, `The number cannot be texted (${code}).`);
    }
    if (service === null && from !== null && this.isFull(from)) {
      throw new ApiError(400, 21611, "This 'From' number has exceeded the maximum number of queued messages");
    }
    const { body, validitySeconds } = placed;
    const statusCallback = placed.statusCallback ?? service?.statusCallback ?? null;
    const sid = service?.sid ?? null;
    return this.start(
      { direction: 'outbound-api', to, sender: from, serviceSid: sid, body, statusCallback, validitySeconds },
      script,
    );
  }

  /** A phone texts one of our numbers. @returns null when the number is not ours or takes no texts */
  receive(from: string, to: string, body: string): Text | null {
    if (!this.canText(to)) return null;
    const serviceSid = this.services.ofNumber(to)?.sid ?? null;
    const text = this.add(
      new Text({
        direction: 'inbound',
        to,
        sender: from,
        serviceSid,
        body,
        statusCallback: null,
        validitySeconds: MOST_VALIDITY_SECONDS,
      }),
    );
    const shown = { sid: text.sid, number: to, direction: 'outgoing', body, at: text.createdAt.toISOString() } as const;
    this.network.handsets.noteText(from, shown);
    text.move('received');
    void this.converse(text);
    return text;
  }

  /** @returns the text, also while lists do not show it yet */
  find(sid: string): Text | null {
    return this.texts.get(sid) ?? null;
  }

  /** Newest first, without those that a list does not show yet. */
  listed(): Text[] {
    const now = Date.now();
    return [...this.texts.values()].filter((text) => (this.listedFrom.get(text.sid) ?? 0) <= now).toReversed();
  }

  /** `DELETE Messages/{sid}`: gone from reads, lists and the ledger; its phone remembers. */
  forget(sid: string): void {
    this.texts.get(sid)?.forget();
    this.texts.delete(sid);
    this.listedFrom.delete(sid);
  }

  /** Oldest first. */
  entries(): TextEntry[] {
    return [...this.texts.values()].map((text) => text.entry());
  }

  state(): SavedTexts {
    return {
      texts: [...this.texts.values()].map((text) => text.saved()),
      optOuts: this.optOuts.entries(),
      stickySenders: this.services.choices(),
    };
  }

  /** Goes on with what was under way: Twilio's queue is no phone line, it does not end with a process. */
  restore(saved: SavedTexts): void {
    for (const { scope, number, at } of saved.optOuts) this.optOuts.add(scope, number, new Date(at));
    this.services.restore(saved.stickySenders);
    for (const each of saved.texts) {
      const text = Text.restore(each);
      this.texts.set(text.sid, text);
      if (text.isOver || text.direction === 'inbound') continue;
      if (text.statusCallback !== null) reportReceipts(this.network, text, text.statusCallback);
      void this.send(text, null);
    }
  }

  /** Forgets everything, without telling anybody. */
  clear(): void {
    for (const text of this.texts.values()) text.forget();
    this.texts.clear();
    this.listedFrom.clear();
    this.queues.clear();
    this.optOuts.clear();
    this.services.clear();
    this.used = new WeakMap();
  }

  /** Texts that wait keep their place. */
  repace(): void {
    for (const queue of this.queues.values()) queue.setRate(this.network.settings.messagesPerSecond);
  }

  private add(text: Text): Text {
    this.texts.set(text.sid, text);
    this.listedFrom.set(text.sid, text.createdAt.getTime() + this.network.nextListLag());
    if (text.statusCallback !== null) reportReceipts(this.network, text, text.statusCallback);
    return text;
  }

  private start(options: TextOptions, script: TextScript | null): Text {
    const text = this.add(new Text(options));
    // Not awaited: Twilio answers before it sends, and its first callback may overtake the answer.
    void this.send(text, script);
    return text;
  }

  /** A text's way to its phone. Ends quietly when the text is forgotten meanwhile. */
  private async send(text: Text, script: TextScript | null): Promise<void> {
    const { clock, settings } = this.network;
    try {
      if (text.isUnsent) {
        // The answer to the create goes out first.
        await clock.wait(0, text.forgotten);
        if (text.status === 'accepted') {
          if (!this.assignSender(text)) return;
          text.move('queued');
        }
        if (text.status === 'queued' && !(await this.waitInQueue(text))) return;
        if (text.status === 'queued') text.move('sending');
        await clock.wait(settings.sentAfterMs, text.forgotten);
        if (script?.outcome === 'failed') {
          text.move('failed', script.errorCode ?? 30008);
          return;
        }
        text.move('sent');
      }
      for (const receipt of receiptsOf(script)) {
        await clock.wait(receipt.afterMs ?? settings.deliveredAfterMs, text.forgotten);
        text.move(receipt.status, receipt.errorCode ?? null);
        if (receipt.status === 'delivered') this.arrive(text);
      }
      if (script?.outcome === 'sent') this.arrive(text);
    } catch (error) {
      if (!text.forgotten.aborted) throw error;
    }
  }

  private assignSender(text: Text): boolean {
    if (text.sender !== null || text.serviceSid === null) return true;
    const service = this.services.find(text.serviceSid);
    const backlogOf = (sender: string) => this.queueOf(sender).backlogMs();
    const canSend = (sender: string) => this.canText(sender) && !this.isFull(sender);
    text.sender = service && this.services.choose(service, text.to, backlogOf, canSend);
    // A service's message is created all the same and then fails, where a number's own is refused.
    if (text.sender === null) text.move('failed', 30001);
    return text.sender !== null;
  }

  private async waitInQueue(text: Text): Promise<boolean> {
    const waitMs = this.queueOf(text.sender ?? '').takePlace(text.segments);
    const validMs = text.validitySeconds * 1000;
    if (waitMs > validMs) {
      await this.network.clock.wait(validMs, text.forgotten);
      text.move('failed', 30036);
      return false;
    }
    await this.queueOf(text.sender ?? '').wait(waitMs, text.forgotten);
    return true;
  }

  /** The text is on the phone's screen; its owner may answer. */
  private arrive(text: Text): void {
    const number = text.sender ?? '';
    const { sid, body } = text;
    this.network.handsets.noteText(text.to, { sid, number, direction: 'incoming', body, at: new Date().toISOString() });
    const reply = this.network.handsets.scriptOf(text.to)?.texts?.reply;
    if (!reply || !this.mayUse(reply, reply.times)) return;
    this.network.clock.after(reply.afterMs ?? 0, text.forgotten, () => this.receive(text.to, number, reply.body));
  }

  private async converse(text: Text): Promise<void> {
    const [from, to] = [text.handset, text.to];
    const keyword = keywordIn(text.body);
    const scope = this.scopeOf(to);
    const changes =
      keyword === 'STOP' ? this.optOuts.add(scope, from) : keyword === 'START' && this.optOuts.lift(scope, from);
    if (keyword !== null && (changes || keyword === 'HELP')) {
      const at = new Date().toISOString();
      const body = CARRIER_ANSWERS[keyword];
      this.network.handsets.noteText(from, { sid: null, number: to, direction: 'incoming', body, at });
    }
    const own = this.network.numbers.find(to);
    const url = this.services.ofNumber(to)?.inboundUrl ?? own?.smsUrl;
    // Twilio keeps the text and tells nobody.
    if (url === undefined) return;
    try {
      const replies = await askAboutText(this.network, text, { url, method: own?.smsMethod ?? 'POST', keyword });
      for (const reply of replies) this.answer(text, reply);
    } catch (error) {
      if (!(error instanceof TwimlFailure)) throw error;
      this.network.notify(text, error.code, `inbound text: ${error.message}`);
    }
  }

  private answer(text: Text, reply: Reply): void {
    if (text.forgotten.aborted) return;
    if (this.optOuts.has(this.scopeOf(text.to), reply.to)) {
      this.network.notify(text, 21610, 'Attempt to send to unsubscribed recipient');
      return;
    }
    this.start(
      {
        direction: 'outbound-reply',
        to: reply.to,
        sender: text.to,
        serviceSid: text.serviceSid,
        body: reply.body,
        statusCallback: reply.statusCallback,
        validitySeconds: MOST_VALIDITY_SECONDS,
      },
      this.scriptFor(reply.to, true),
    );
  }

  /** @throws ApiError 400 */
  private serviceFor(sid: string, from: string | null): MessagingService {
    const service = this.services.find(sid);
    if (service === null) throw new ApiError(400, 21701, 'The Messaging Service does not exist');
    if (service.senders.length === 0) throw new ApiError(400, 21703, 'The Messaging Service has no phone numbers');
    if (from !== null && !service.senders.includes(from)) {
      throw new ApiError(400, 21712, "The 'From' number is not in the Messaging Service's sender pool");
    }
    return service;
  }

  /** A number in a service shares the service's list of who wants nothing. */
  private scopeOf(number: string): string {
    return this.services.ofNumber(number)?.sid ?? number;
  }

  private isBlocked(service: MessagingService | null, from: string | null, to: string): boolean {
    const scope = service?.sid ?? (from === null ? null : this.scopeOf(from));
    return scope !== null && this.optOuts.has(scope, to);
  }

  private canText(number: string): boolean {
    const own = this.network.numbers.find(number);
    return own !== null && own.capabilities?.sms !== false;
  }

  private isFull(sender: string): boolean {
    return this.queueOf(sender).backlogMs() > this.network.settings.senderQueueSeconds * 1000;
  }

  private queueOf(sender: string): PacingQueue {
    const known = this.queues.get(sender);
    if (known) return known;
    const queue = new PacingQueue();
    queue.setRate(this.network.settings.messagesPerSecond);
    this.queues.set(sender, queue);
    return queue;
  }

  /** The script of a phone's texts while it still counts. @param use counts this text */
  private scriptFor(number: string, use: boolean): TextScript | null {
    const script = this.network.handsets.scriptOf(number)?.texts ?? null;
    return script && use && !this.mayUse(script, script.times) ? null : script;
  }

  private mayUse(rule: object, times: number | undefined): boolean {
    const used = this.used.get(rule) ?? 0;
    this.used.set(rule, used + 1);
    return times === undefined || used < times;
  }
}

function receiptsOf(script: TextScript | null): readonly ScriptedReceipt[] {
  if (script?.receipts) return script.receipts;
  const errorCode = script?.errorCode === undefined ? {} : { errorCode: script.errorCode };
  switch (script?.outcome) {
    case 'sent':
      return [];
    case 'undelivered':
      return [{ status: 'undelivered', errorCode: 30008, ...errorCode }];
    default:
      return [{ status: 'delivered' }];
  }
}
