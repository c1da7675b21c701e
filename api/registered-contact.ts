import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { lockBuddiesOf } from '../db/buddies';
import { hasRefused } from '../db/buddy-refusals';
import { lockTarget, targetWaitMs } from '../db/buddy-targets';
import { inTransaction } from '../db/pool';
import type { Db } from '../db/query';
import {
  changeContact,
  findRegisteredContact,
  insertContact,
  namedLately,
  type RegisteredContact,
  removeContact,
} from '../db/registered-contacts';
import { createSubject } from '../db/subjects';
import { isDestroyed } from '../domain/errors';
import type { PhoneNumber } from '../domain/phone-number';
import { SealedValue } from '../domain/sealed';
import { tellEndings } from './buddy-endings';
import { checkedBody } from './checked-input';
import type { ApiDeps } from './deps';
import { numberToRing } from './given-numbers';
import { Problem } from './problems';
import { newRegisteredContact, type registeredContactShape } from './registered-contact-shapes';
import { contextOf } from './request-context';
import type { Routes } from './routes';

/** The one person whom a user names to be asked when no buddy answers. They are told by text, and may refuse. */
export function registeredContact(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('PUT /api/users/me/registered-contact', async (req, res, caller) => {
    const given = checkedBody(newRegisteredContact, req);
    const number = numberToRing(given.phoneNumber, '#/phoneNumber', deps.config);
    contextOf(res).country = number.country;
    const { subjectId: userId } = caller;
    await nameContact(deps, { userId, name: given.name, number, language: given.language });
    res.json(await shown(deps, await theirs(deps, userId)));
  });

  routes.signedIn('GET /api/users/me/registered-contact', async (_req, res, caller) => {
    res.json(await shown(deps, await theirs(deps, caller.subjectId)));
  });

  routes.signedIn('DELETE /api/users/me/registered-contact', async (_req, res, { subjectId }) => {
    await dropContact(deps, subjectId);
    res.status(204).end();
  });
}

/** Ends what they were named for. @throws {Problem} `not-found` where nobody is named */
export async function dropContact(deps: ApiDeps, userId: string): Promise<void> {
  await inTransaction(deps.pool, async (tx) => {
    await lockBuddiesOf(tx, userId);
    const contact = await findRegisteredContact(tx, userId);
    if (contact === null) throw new Problem('not-found');
    await removeContact(tx, contact, userId);
  });
  await tellEndings(deps);
}

export interface Named {
  readonly userId: string;
  readonly name: string;
  readonly number: PhoneNumber;
  readonly language: string;
}

/**
 * The same number again is the same person: they are not told twice. A worker tells a new one, because only it can make
 * the link of their text.
 * @throws {Problem} `contact-has-refused`, or `too-many-requests` where this number was named too often, by whomever
 */
export async function nameContact(deps: ApiDeps, named: Named): Promise<void> {
  await inTransaction(deps.pool, (tx) => nameIn(deps, tx, named));
  // Whoever was named before may be being asked.
  await tellEndings(deps);
}

async function nameIn(deps: ApiDeps, tx: Db, { userId, name, number, language }: Named): Promise<void> {
  const { tokenizer, vault } = deps;
  await lockBuddiesOf(tx, userId);
  const tokens = tokenizer.candidates(number.e164);
  const value = SealedValue.of('name', name);
  const before = await findRegisteredContact(tx, userId);
  const isSame = before !== null && tokens.some((token) => before.phoneToken?.equals(token) === true);
  if (isSame && before.state === 'refused') throw new Problem('contact-has-refused');
  if (isSame) {
    const nameRecordId = await vault.seal({ subjectId: before.subjectId, kind: 'name', value }, tx);
    await changeContact(tx, before, { nameRecordId, language });
    return;
  }
  await refuseWhereUnwanted(deps, tx, userId, tokens, tokenizer.token(number.e164));
  // Each of them gets a text, and nobody of them has asked for one.
  const { most } = deps.config.buddies;
  if ((await namedLately(tx, userId)) >= most)
    throw new Problem('too-many-requests', { retryAfterSeconds: DAY_SECONDS });
  if (before !== null) await removeContact(tx, before, userId);
  const subjectId = await createSubject(tx, userId);
  await insertContact(tx, {
    contactId: randomUUID(),
    userId,
    subjectId,
    nameRecordId: await vault.seal({ subjectId, kind: 'name', value }, tx),
    phoneRecordId: await vault.seal({ subjectId, kind: 'phone', value: number.e164 }, tx),
    phoneToken: tokenizer.token(number.e164),
    tokenVersion: tokenizer.version,
    country: number.country,
    language,
    messageId: randomUUID(),
  });
}

const DAY_SECONDS = 86_400;

async function refuseWhereUnwanted(
  { config }: ApiDeps,
  tx: Db,
  userId: string,
  tokens: readonly Buffer[],
  token: Buffer,
): Promise<void> {
  await lockTarget(tx, token);
  if (await hasRefused(tx, userId, tokens)) throw new Problem('contact-has-refused');
  const waitMs = await targetWaitMs(tx, 'contacts', tokens, config.buddies.targetLimits);
  if (waitMs > 0) throw new Problem('too-many-requests', { retryAfterSeconds: Math.ceil(waitMs / 1_000) });
}

async function theirs({ pool }: ApiDeps, userId: string): Promise<RegisteredContact> {
  const contact = await findRegisteredContact(pool, userId);
  if (contact === null) throw new Problem('not-found');
  return contact;
}

async function shown(deps: ApiDeps, contact: RegisteredContact): Promise<z.input<typeof registeredContactShape>> {
  const { contactId, state, country, language, namedAt, toldAt } = contact;
  return {
    contactId,
    state,
    name: await ownView(deps, contact, 'nameRecordId'),
    country,
    language,
    namedAt: namedAt.toISOString(),
    toldAt: toldAt?.toISOString() ?? null,
  };
}

/** What the user gave of them; null when they have had it erased. */
export async function ownView(
  { vault }: Pick<ApiDeps, 'vault'>,
  contact: RegisteredContact,
  what: 'nameRecordId' | 'phoneRecordId',
): Promise<string | null> {
  try {
    return (await vault.reveal({ recordId: contact[what], purpose: 'own-view', actor: contact.userId })).expose();
  } catch (error) {
    if (isDestroyed(error)) return null;
    throw error;
  }
}
