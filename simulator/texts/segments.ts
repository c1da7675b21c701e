/**
 * How many segments a text is sent in. Written from the standard, not taken from the service's own count, so that one
 * is held against the other.
 * @see https://www.twilio.com/docs/glossary/what-sms-character-limit
 */
export function segmentsOf(body: string): number {
  const septets = gsmLength(body);
  if (septets !== null) return septets <= 160 ? 1 : packed(body, 153, gsmUnits);
  return body.length <= 70 ? 1 : packed(body, 67, (character) => character.length);
}

/** GSM 03.38, basic set, without the escape to the next. */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** Take the place of two. */
const EXTENDED = new Set('\f^{}\\[~]|€');

function gsmLength(body: string): number | null {
  let septets = 0;
  for (const character of body) {
    if (!BASIC.has(character) && !EXTENDED.has(character)) return null;
    septets += gsmUnits(character);
  }
  return septets;
}

function gsmUnits(character: string): number {
  return EXTENDED.has(character) ? 2 : 1;
}

/** A character of two units is never split between two segments. */
function packed(body: string, room: number, unitsOf: (character: string) => number): number {
  let segments = 1;
  let used = 0;
  for (const character of body) {
    const units = unitsOf(character);
    if (used + units > room) {
      segments += 1;
      used = 0;
    }
    used += units;
  }
  return segments;
}
