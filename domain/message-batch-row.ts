import { z } from 'zod';
import { GivenRowUnreadable } from './errors';
import { SealedValue } from './sealed';

/** What was given for one recipient of a batch, as it is sealed until its message is started. */
export interface GivenRow {
  /** Null: the recipient is known by an id, and saved where they can be reached. */
  readonly to: SealedValue<'phone'> | SealedValue<'email'> | null;
  /** Of the template; null when the words are the same for all. */
  readonly variables: Readonly<Record<string, string | number>> | null;
}

const shape = z.strictObject({
  phone: z.string().optional(),
  email: z.string().optional(),
  variables: z.record(z.string(), z.union([z.string(), z.number()])).nullable(),
});

/** The value to seal, of kind `text`. */
export function sealableRow({ to, variables }: GivenRow): SealedValue<'text'> {
  const where = to === null ? {} : { [to.kind]: to.expose() };
  return SealedValue.of('text', JSON.stringify({ ...where, variables }));
}

/** @throws {GivenRowUnreadable} when {@link sealableRow} did not write it */
export function readGivenRow(sealed: SealedValue): GivenRow {
  let given: unknown;
  try {
    given = JSON.parse(sealed.expose());
  } catch {
    given = null;
  }
  const row = shape.safeParse(given);
  if (!row.success) throw new GivenRowUnreadable();
  const { phone, email, variables } = row.data;
  if (phone !== undefined) return { to: SealedValue.of('phone', phone), variables };
  return { to: email === undefined ? null : SealedValue.of('email', email), variables };
}
