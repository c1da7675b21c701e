/**
 * How many segments a text is billed and sent as. (3GPP TS 23.038: GSM 7-bit alphabet; TS 23.040: 7 septets of each
 * segment of a longer text go to its header.) One character outside the alphabet makes the whole text UCS-2, and a
 * segment less than half as long.
 */

export interface SegmentCount {
  readonly encoding: 'gsm-7' | 'ucs-2';
  /** 0 for an empty text. */
  readonly segments: number;
  /** As the encoding counts them: septets, or UTF-16 units. */
  readonly characters: number;
}

const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** Sent as an escape and a second septet. */
const EXTENDED = new Set('\f^{}\\[~]|€');

const LIMITS = {
  'gsm-7': { alone: 160, joined: 153 },
  'ucs-2': { alone: 70, joined: 67 },
} as const;

/** Counts a text as Twilio bills it. */
export function countSegments(text: string): SegmentCount {
  const letters = Array.from(text);
  const isGsm = letters.every((letter) => BASIC.has(letter) || EXTENDED.has(letter));
  const encoding = isGsm ? 'gsm-7' : 'ucs-2';
  const sizes = letters.map((letter) => (isGsm ? (EXTENDED.has(letter) ? 2 : 1) : letter.length));
  const characters = sizes.reduce((sum, size) => sum + size, 0);
  const { alone, joined } = LIMITS[encoding];
  if (characters <= alone) return { encoding, segments: characters === 0 ? 0 : 1, characters };
  let [segments, used] = [1, 0];
  for (const size of sizes) {
    // An escape and its septet, or the halves of a surrogate pair, are never parted: the segment ends one short.
    if (used + size > joined) [segments, used] = [segments + 1, 0];
    used += size;
  }
  return { encoding, segments, characters };
}
