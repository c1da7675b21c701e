/** What the verifier says. All ids in it are pseudonymous; it never holds what an entry is about. */

/**
 * `changed`: the entry or its link is not what was chained. `missing`: it was there. `inserted`: it never got a place
 * although its time is past. `moved`: it stands in another's place. `cut`: the chain's end is gone, or was rewritten
 * behind a checkpoint. `checkpoint`, `erasure`, `guard`: something beside the entries does not fit.
 */
export type AuditFaultKind = 'changed' | 'missing' | 'inserted' | 'moved' | 'cut' | 'checkpoint' | 'erasure' | 'guard';

export interface AuditFault {
  readonly kind: AuditFaultKind;
  /** The place in the chain at which it shows. */
  readonly position: number | null;
  readonly entryId: string | null;
  /** The name of the checkpoint that does not fit, or that something contradicts. */
  readonly checkpoint: string | null;
  /** What is wrong, as a sentence. */
  readonly what: string;
}

/** The last checkpoint that fits: up to it a cut would be seen too. */
export interface AuditHorizon {
  readonly checkpoint: string;
  readonly at: string;
  readonly position: number;
}

export interface AuditReport {
  /** Entries that have a place in the chain, or should have one. */
  readonly entries: number;
  /** The chain's last place. */
  readonly chained: number;
  /** Entries that are too young for the chain. */
  readonly waiting: number;
  /** When the oldest of these was written, ISO 8601. */
  readonly waitingSince: string | null;
  readonly checkpoints: number;
  readonly horizon: AuditHorizon | null;
  /** The first thing that does not fit, in the order of the chain. */
  readonly fault: AuditFault | null;
  /** How many there are; what follows a broken place is mostly broken because of it, so counting stops early. */
  readonly faults: number;
  readonly isWhole: boolean;
}

const ENOUGH = 20;

/** Keeps the first, counts the others. */
export class Faults {
  count = 0;
  first: AuditFault | null = null;

  add(fault: AuditFault): void {
    this.first ??= fault;
    this.count += 1;
  }

  get isEnough(): boolean {
    return this.count >= ENOUGH;
  }
}

/** A fault with only what is known. */
export function auditFault(
  kind: AuditFaultKind,
  what: string,
  known: Partial<Pick<AuditFault, 'position' | 'entryId' | 'checkpoint'>> = {},
): AuditFault {
  return { kind, position: null, entryId: null, checkpoint: null, ...known, what };
}
