import type { z } from 'zod';
import {
  type ContactPoint,
  createContactPoint,
  deleteContactPoint,
  findContactPoint,
  listContactPoints,
  lockContactPoints,
} from '../db/contact-points';
import { inTransaction } from '../db/pool';
import type { SealedValue } from '../domain/sealed';
import { checkOwner } from './authorisation';
import { checkedBody, checkedId } from './checked-input';
import { type contactPointList, type contactPointShape, newContactPoint } from './contact-points-shapes';
import type { ApiDeps } from './deps';
import { addressToWriteTo, numberToRing, type RingingRules } from './given-numbers';
import { idempotentRequest, madeOnce } from './idempotency';
import { MOST_CONTACT_POINTS } from './limits';
import { Problem } from './problems';
import { contextOf } from './request-context';
import type { Routes } from './routes';

/** The numbers and addresses a person saved, so that they need not give one with each request. Answers hold neither. */
export function contactPoints(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('POST /contact-points', async (req, res, caller) => {
    const body = checkedBody(newContactPoint, req);
    const { kind, value, country } = destinationOf(body, deps.config);
    if (country !== null) contextOf(res).country = country;
    const { subjectId } = caller;
    const request = idempotentRequest(deps.tokenizer, req, subjectId, 'POST /contact-points');
    const contactPointId = await madeOnce(deps.pool, request, async (tx) => {
      await lockContactPoints(tx, subjectId);
      const recordId = await deps.vault.seal({ subjectId, kind, value }, tx);
      const token = deps.tokenizer.token(value);
      const tokenVersion = deps.tokenizer.version;
      const made = await createContactPoint(tx, { subjectId, recordId, kind, token, tokenVersion, country });
      // Counted afterwards: a number that was saved before is no further one. What is too much is taken back.
      const saved = await listContactPoints(tx, subjectId);
      if (saved.length > MOST_CONTACT_POINTS) throw new Problem('too-many-contact-points');
      return made.contactPointId;
    });
    const point = await findContactPoint(deps.pool, subjectId, contactPointId);
    if (point === null) throw new Problem('already-deleted');
    res.status(201).set('Location', `/contact-points/${contactPointId}`).json(shownContactPoint(point));
  });

  // All of them: there are never more than ten.
  routes.signedIn('GET /contact-points', async (_req, res, caller) => {
    const saved = await listContactPoints(deps.pool, caller.subjectId);
    const answer: z.input<typeof contactPointList> = { contactPoints: saved.map(shownContactPoint), nextCursor: null };
    res.json(answer);
  });

  routes.signedIn('DELETE /contact-points/:contactPointId', async (req, res, caller) => {
    const contactPointId = checkedId(req, 'contactPointId');
    // Somebody else's is not found either: the look-up itself asks for the owner.
    const point = await findContactPoint(deps.pool, caller.subjectId, contactPointId);
    checkOwner('DELETE /contact-points/:contactPointId', caller, point?.subjectId ?? null);
    await inTransaction(deps.pool, (tx) => deleteContactPoint(tx, caller.subjectId, contactPointId));
    res.status(204).end();
  });
}

interface Given {
  readonly kind: 'phone' | 'email';
  readonly value: SealedValue<'phone'> | SealedValue<'email'>;
  /** ISO 3166; null for an address. */
  readonly country: string | null;
}

function destinationOf(
  { kind, phoneNumber, emailAddress }: z.output<typeof newContactPoint>,
  rules: RingingRules,
): Given {
  const fits = (phoneNumber === undefined) !== (emailAddress === undefined);
  if (phoneNumber !== undefined && fits && kind !== 'email') {
    const { e164, country } = numberToRing(phoneNumber, '#/phoneNumber', rules);
    return { kind: 'phone', value: e164, country };
  }
  if (emailAddress === undefined || !fits || kind === 'phone') {
    const detail = 'Exactly one of phoneNumber and emailAddress is expected, as kind says.';
    throw new Problem('invalid-body', { errors: [{ pointer: '#/phoneNumber', detail }] });
  }
  return { kind: 'email', value: addressToWriteTo(emailAddress, '#/emailAddress'), country: null };
}

export function shownContactPoint(point: ContactPoint): z.input<typeof contactPointShape> {
  return {
    contactPointId: point.contactPointId,
    kind: point.kind,
    country: point.country,
    createdAt: point.createdAt.toISOString(),
    verifiedAt: point.verifiedAt?.toISOString() ?? null,
    unreachable:
      point.unreachable === null
        ? null
        : { since: point.unreachable.since.toISOString(), code: point.unreachable.code },
  };
}
