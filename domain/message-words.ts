import { z } from 'zod';
import { SealedValue } from './sealed';

/** What a message is to say, as it is sealed: a text as it was given, or the variables of a template. */
export type MessageWords =
  | { readonly text: string }
  | { readonly variables: Readonly<Record<string, string | number>> };

const shape = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({ variables: z.record(z.string(), z.union([z.string(), z.number()])) }),
]);

/** The value to seal, of kind `text`. */
export function sealableWords(words: MessageWords): SealedValue<'text'> {
  return SealedValue.of('text', JSON.stringify(words));
}

/** @throws {TypeError} when {@link sealableWords} did not write it; its text holds nothing of it, as a parser's would */
export function readWords(sealed: SealedValue): MessageWords {
  let given: unknown;
  try {
    given = JSON.parse(sealed.expose());
  } catch {
    given = null;
  }
  const words = shape.safeParse(given);
  if (!words.success) throw new TypeError('A record does not hold the words of a message');
  return words.data;
}
