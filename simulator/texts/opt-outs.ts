import type { OptOutEntry } from '../text-types';

export type Keyword = 'STOP' | 'START' | 'HELP';

const KEYWORDS: Readonly<Record<string, Keyword>> = {
  STOP: 'STOP',
  STOPALL: 'STOP',
  UNSUBSCRIBE: 'STOP',
  END: 'STOP',
  QUIT: 'STOP',
  CANCEL: 'STOP',
  REVOKE: 'STOP',
  OPTOUT: 'STOP',
  START: 'START',
  YES: 'START',
  UNSTOP: 'START',
  HELP: 'HELP',
  INFO: 'HELP',
};

/**
 * The keyword that a text consists of: alone, in any case, blanks around it left out. "please stop" is none.
 * @see https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
 */
export function keywordIn(body: string): Keyword | null {
  const word = body.trim().toUpperCase();
  return Object.hasOwn(KEYWORDS, word) ? (KEYWORDS[word] ?? null) : null;
}

/** What Twilio itself answers, from the number that was texted. No message of the account, and no webhook. */
export const CARRIER_ANSWERS: Readonly<Record<Keyword, string>> = {
  STOP: 'You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe.',
  START:
    'You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply.',
  HELP: 'Reply STOP to unsubscribe. Msg&Data Rates May Apply.',
};

/** Who has texted STOP to what: one of our numbers, or a Messaging Service with all its numbers. */
export class OptOuts {
  private readonly blocks = new Map<string, OptOutEntry>();

  has(scope: string, number: string): boolean {
    return this.blocks.has(keyOf(scope, number));
  }

  /** @returns whether that changes anything */
  add(scope: string, number: string, at = new Date()): boolean {
    if (this.has(scope, number)) return false;
    this.blocks.set(keyOf(scope, number), { scope, number, at: at.toISOString() });
    return true;
  }

  /** @returns whether that changes anything */
  lift(scope: string, number: string): boolean {
    return this.blocks.delete(keyOf(scope, number));
  }

  entries(): readonly OptOutEntry[] {
    return [...this.blocks.values()];
  }

  clear(): void {
    this.blocks.clear();
  }
}

function keyOf(scope: string, number: string): string {
  return `${scope} ${number}`;
}
