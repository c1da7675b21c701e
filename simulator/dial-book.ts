import type { Leg } from './leg';
import type { DialRecord } from './types';

/** One `<Dial>` that is being run; filled in as it goes. */
export interface OpenDial {
  readonly parentSid: string;
  readonly documentUrl: string;
  readonly at: Date;
  readonly children: readonly Leg[];
  status: string | null;
  bridged: boolean;
  /** Numbers named in a Dial that was answered to a caller who had gone; null when it was run. */
  readonly mootNumbers: number | null;
}

/** Every `<Dial>` that was served, so that rings can be counted against what was asked for. */
export class DialBook {
  private dials: OpenDial[] = [];

  /** A Dial begins; the caller fills in how it ends. */
  open(parentSid: string, documentUrl: string, children: readonly Leg[]): OpenDial {
    const dial = { parentSid, documentUrl, at: new Date(), children, status: null, bridged: false, mootNumbers: null };
    this.dials.push(dial);
    return dial;
  }

  /** A Dial answered to a leg that was already over: nothing is dialled. */
  noteMoot(parentSid: string, documentUrl: string, numbers: number): void {
    const at = new Date();
    const children: Leg[] = [];
    const status = null;
    this.dials.push({ parentSid, documentUrl, at, children, status, bridged: false, mootNumbers: numbers });
  }

  records(): DialRecord[] {
    return this.dials.map((dial) => ({
      parentSid: dial.parentSid,
      documentUrl: dial.documentUrl.replace(/#.*$/, ''),
      at: dial.at.toISOString(),
      numbers: dial.mootNumbers ?? dial.children.length,
      rung: dial.children.filter((child) => child.ringingAt !== null).length,
      childSids: dial.children.map((child) => child.sid),
      status: dial.status,
      bridged: dial.bridged,
      moot: dial.mootNumbers !== null,
    }));
  }

  clear(): void {
    this.dials = [];
  }
}
