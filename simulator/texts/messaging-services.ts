import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/** A Messaging Service: one name for several numbers. */
export interface MessagingService {
  /** `MG` and 32 hex digits. */
  readonly sid: string;
  readonly senders: readonly string[];
  /** Default true, as with Twilio: one recipient always sees the same number. */
  readonly stickySender?: boolean;
  /** Asked instead of the number's own SmsUrl. */
  readonly inboundUrl?: string;
  /** Where receipts go when a message names no URL of its own. */
  readonly statusCallback?: string;
}

export interface StickyChoice {
  readonly serviceSid: string;
  readonly to: string;
  readonly sender: string;
}

/** The account's Messaging Services and whom each of their numbers has written to. */
export class MessagingServices {
  private readonly bySid: ReadonlyMap<string, MessagingService>;
  private readonly sticky = new Map<string, StickyChoice>();

  constructor(services: readonly MessagingService[]) {
    this.bySid = new Map(services.map((service) => [service.sid, service]));
  }

  find(sid: string): MessagingService | null {
    return this.bySid.get(sid) ?? null;
  }

  /** A number is in one service at most. */
  ofNumber(number: string): MessagingService | null {
    return [...this.bySid.values()].find((service) => service.senders.includes(number)) ?? null;
  }

  /**
   * The number that a text goes out from: the one that wrote to them before, else one of their country, else any; of
   * several that fit, the one that is free first.
   * @param backlogOf milliseconds until a number is free
   * @param canSend leaves out numbers that cannot text or whose queue is full
   * @returns null when there is none
   */
  choose(
    service: MessagingService,
    to: string,
    backlogOf: (sender: string) => number,
    canSend: (sender: string) => boolean,
  ): string | null {
    const key = `${service.sid} ${to}`;
    const able = service.senders.filter(canSend);
    const before = this.sticky.get(key)?.sender;
    if (service.stickySender !== false && before !== undefined && able.includes(before)) return before;
    const country = countryOf(to);
    const near = able.filter((sender) => countryOf(sender) === country);
    const [chosen] = (near.length > 0 ? near : able).toSorted((a, b) => backlogOf(a) - backlogOf(b));
    if (chosen === undefined) return null;
    if (service.stickySender !== false) this.sticky.set(key, { serviceSid: service.sid, to, sender: chosen });
    return chosen;
  }

  choices(): readonly StickyChoice[] {
    return [...this.sticky.values()];
  }

  restore(choices: readonly StickyChoice[]): void {
    for (const choice of choices) this.sticky.set(`${choice.serviceSid} ${choice.to}`, choice);
  }

  clear(): void {
    this.sticky.clear();
  }
}

export function countryOf(number: string): string {
  return parsePhoneNumberFromString(number)?.country ?? '';
}
