import type { Leg } from './leg';
import { isShortCode } from './phone-numbers';
import type { HandsetText } from './text-types';
import type { HandsetCall, HandsetScript, HandsetView } from './types';

const CALLS_SHOWN = 20;
const TEXTS_SHOWN = 50;
/** Helplines answer by themselves after a second, unless a script says otherwise. */
const HELPLINE_SCRIPT: HandsetScript = { answerAfterMs: 1_000 };

/** Thrown when a phone is asked for something it cannot do now, e.g. to answer while it does not ring. */
export class HandsetRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'HandsetRefused';
  }
}

/** A phone as it is kept over restarts. */
export interface SavedHandset {
  readonly number: string;
  readonly label: string | null;
  readonly script: HandsetScript | null;
  /** Not in files of an earlier version. */
  readonly texts?: readonly HandsetText[];
}

interface Handset {
  readonly number: string;
  label: string | null;
  script: HandsetScript | null;
  legs: Leg[];
  texts: HandsetText[];
}

/** The virtual phones, by number. Every number that is dialled is one; nobody has to declare it. */
export class Handsets {
  private readonly phones = new Map<string, Handset>();
  private readonly watchers = new Set<(view: HandsetView) => void>();
  private readonly helplines: ReadonlySet<string>;

  constructor(helplines: readonly string[]) {
    this.helplines = new Set(helplines);
  }

  /** Puts a phone on the page, or gives it another label. */
  add(number: string, label: string | null): void {
    this.phone(number).label = label;
    this.changed(number);
  }

  setScript(number: string, script: HandsetScript | null): void {
    this.phone(number).script = script;
    this.changed(number);
  }

  scriptOf(number: string): HandsetScript | null {
    return this.phones.get(number)?.script ?? (this.isHelpline(number) ? HELPLINE_SCRIPT : null);
  }

  restore(phones: readonly SavedHandset[]): void {
    for (const { number, label, script, texts } of phones) {
      Object.assign(this.phone(number), { label, script, texts: [...(texts ?? [])] });
      this.changed(number);
    }
  }

  attach(leg: Leg): void {
    const phone = this.phone(leg.handset);
    phone.legs.unshift(leg);
    leg.on('changed', () => this.changed(leg.handset));
  }

  /** A text came or went. */
  noteText(number: string, text: HandsetText): void {
    const phone = this.phone(number);
    phone.texts.push(text);
    if (phone.texts.length > TEXTS_SHOWN) phone.texts.shift();
    this.changed(number);
  }

  /** @throws HandsetRefused when nothing rings */
  answer(number: string, sid?: string): void {
    this.find(number, sid, 'is not ringing', rings).pickUp();
  }

  /** @throws HandsetRefused when nothing rings */
  decline(number: string, sid?: string): void {
    this.find(number, sid, 'is not ringing', rings).hangUp();
  }

  /** @throws HandsetRefused when the phone is in no call */
  press(number: string, digits: string, sid?: string): void {
    this.find(number, sid, 'is in no call', (leg) => leg.isUp).press(digits);
  }

  /** Ends a call, or gives up one that this phone has placed. @throws HandsetRefused when there is none */
  hangUp(number: string, sid?: string): void {
    this.find(number, sid, 'is in no call', (leg) => leg.isUp || isCalling(leg)).hangUp();
  }

  /** The network loses the line of a call. @throws HandsetRefused when the phone is in none */
  lose(number: string, sid?: string): void {
    this.find(number, sid, 'is in no call', (leg) => leg.isUp).lose();
  }

  view(number: string): HandsetView {
    return viewOf(this.phone(number), this.isHelpline(number));
  }

  views(): HandsetView[] {
    return [...this.phones.values()].map((phone) => viewOf(phone, this.isHelpline(phone.number)));
  }

  /** What is kept over restarts, beside the calls. */
  saved(): SavedHandset[] {
    return [...this.phones.values()].map(({ number, label, script, texts }) => ({ number, label, script, texts }));
  }

  /** Calls back with a phone's new view whenever something changes on it. @returns how to stop */
  watch(watcher: (view: HandsetView) => void): () => void {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  }

  clear(): void {
    this.phones.clear();
  }

  private find(number: string, sid: string | undefined, otherwise: string, fits: (leg: Leg) => boolean): Leg {
    const leg = this.phones.get(number)?.legs.find((each) => fits(each) && (sid === undefined || each.sid === sid));
    if (!leg) throw new HandsetRefused(`this phone ${otherwise}`);
    return leg;
  }

  private phone(number: string): Handset {
    const known = this.phones.get(number);
    if (known) return known;
    const phone: Handset = { number, label: null, script: null, legs: [], texts: [] };
    this.phones.set(number, phone);
    return phone;
  }

  private isHelpline(number: string): boolean {
    return this.helplines.has(number) || isShortCode(number);
  }

  private changed(number: string): void {
    if (this.watchers.size === 0) return;
    const view = this.view(number);
    for (const watcher of this.watchers) watcher(view);
  }
}

const rings = (leg: Leg) => leg.direction !== 'inbound' && leg.status === 'ringing';
const isCalling = (leg: Leg) => leg.direction === 'inbound' && leg.status === 'ringing';

function viewOf(phone: Handset, isHelpline: boolean): HandsetView {
  // A leg that is queued or being dialled is not yet anything to its phone.
  const shown = phone.legs.filter((leg) => leg.ringingAt || leg.direction === 'inbound');
  return {
    number: phone.number,
    label: phone.label,
    kind: isHelpline ? 'helpline' : 'phone',
    state: shown.some((leg) => leg.isUp || isCalling(leg)) ? 'in-call' : shown.some(rings) ? 'ringing' : 'idle',
    script: phone.script,
    calls: shown.slice(0, CALLS_SHOWN).map(callOf),
    texts: [...phone.texts],
  };
}

function callOf(leg: Leg): HandsetCall {
  const up = leg.bridged ? 'bridged' : 'answered';
  return {
    sid: leg.sid,
    callerId: leg.shownNumber,
    direction: leg.direction === 'inbound' ? 'outgoing' : 'incoming',
    state: leg.isOver ? 'over' : leg.isUp ? up : 'ringing',
    startedAt: (leg.ringingAt ?? leg.createdAt).toISOString(),
    answeredAt: leg.answeredAt?.toISOString() ?? null,
    endedAt: leg.endedAt?.toISOString() ?? null,
    heard: [...leg.heard],
    pressed: [...leg.pressed],
    expectsKeys: leg.expectsKeys,
    recorded: leg.isUp && (leg.recorded || (leg.bridged && leg.parent?.recorded === true)),
  };
}
