import type { Buddy } from '../db/buddies';
import { hasRefused } from '../db/buddy-refusals';
import type { Db } from '../db/query';
import { hasVerified } from '../db/recipients';
import type { SealedValue } from '../domain/sealed';
import type { ApiDeps } from './deps';
import { addressToWriteTo, numberToRing } from './given-numbers';
import { Problem } from './problems';

/** How a buddy is reached: the e-mail that asks them, and the texts that follow. */
export interface Reachable {
  readonly phone: SealedValue<'phone'>;
  readonly address: SealedValue<'email'>;
  /** ISO 3166, of the number. */
  readonly country: string;
}

/** @throws {Problem} for a number or address that is none, or that we do not serve */
export function reachable(
  { config }: Pick<ApiDeps, 'config'>,
  { phoneNumber, email }: { readonly phoneNumber: string; readonly email: string },
): Reachable {
  const { e164: phone, country } = numberToRing(phoneNumber, '#/phoneNumber', config);
  return { phone, country, address: addressToWriteTo(email, '#/email') };
}

/** @param tokens of number and address, under every live version of the token key */
export async function checkNotOneself(tx: Db, userId: string, tokens: readonly Buffer[]): Promise<void> {
  if (await hasVerified(tx, userId, tokens)) throw new Problem('buddy-is-oneself');
}

export async function checkNotRefused(tx: Db, userId: string, tokens: readonly Buffer[]): Promise<void> {
  if (await hasRefused(tx, userId, tokens)) throw new Problem('buddy-has-refused');
}

/** One person, one entry: neither the number nor the address is another buddy's. Behind `lockBuddiesOf`. */
export function checkNotTwice(others: readonly Buddy[], tokens: readonly Buffer[]): void {
  const isSame = (token: Buffer | null) => token !== null && tokens.some((one) => one.equals(token));
  const isThere = others.some(({ emailToken, phoneToken }) => isSame(emailToken) || isSame(phoneToken));
  if (isThere) throw new Problem('buddy-already-named');
}
