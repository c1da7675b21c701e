/** What a buddy may answer by text. No import from a package: this file may become part of the workflow bundle. */
import type { CheckInResponse } from './buddies';

/** In capitals, as a text is compared; the texts that ask name the numbers. */
const BY_TEXT: Readonly<Record<CheckInResponse, readonly string[]>> = {
  called: ['1', 'CALLED', 'I CALLED', 'LLAME', 'LLAMÉ', 'HE LLAMADO'],
  messaged: ['2', 'MESSAGED', 'TEXTED', 'WROTE', 'ESCRIBI', 'ESCRIBÍ', 'HE ESCRITO'],
  'cannot-reach': ['3', "CAN'T REACH", 'CAN’T REACH', 'CANT REACH', 'NO ANSWER', 'NO CONTESTA', 'SIN RESPUESTA'],
  unavailable: ['4', 'UNAVAILABLE', "I CAN'T", 'I CAN’T', 'NO DISPONIBLE', 'NO PUEDO'],
};

const RESPONSES: ReadonlyMap<string, CheckInResponse> = new Map(
  (['called', 'messaged', 'cannot-reach', 'unavailable'] as const).flatMap((response) =>
    BY_TEXT[response].map((word) => [word, response] as const),
  ),
);

/** Everything that is an answer, in capitals. */
export const CHECK_IN_ANSWERS: readonly string[] = [...RESPONSES.keys()];

/** @returns null for a text that is no answer */
export function readCheckInAnswer(text: string): CheckInResponse | null {
  return RESPONSES.get(text.trim().toUpperCase()) ?? null;
}

/** What a check-in was answered by text; its workflow is told of it, and may be told again. */
export interface TextedAnswer {
  readonly requestId: string;
  readonly response: CheckInResponse;
}
