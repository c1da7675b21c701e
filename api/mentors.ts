import type { Response } from 'express';
import type { z } from 'zod';
import { findMentorOfAccount } from '../db/mentor-accounts';
import { createMentor, deleteMentor, getMentor, listMentors, type Mentor, updateMentor } from '../db/mentors';
import type { Db } from '../db/query';
import { createSubject } from '../db/subjects';
import { isIanaZone } from '../domain/availability';
import { isDestroyed } from '../domain/errors';
import type { PhoneNumber } from '../domain/phone-number';
import { SealedValue } from '../domain/sealed';
import type { Caller } from './authentication';
import { checkedBody, checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { entityTag, expectedVersion } from './entity-tags';
import { numberToRing } from './given-numbers';
import { idempotentRequest, madeOnce } from './idempotency';
import { mentorChange, type mentorPage, type mentorShape, newMentor, newWindows } from './mentors-shapes';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';
import { listQuery } from './shared-shapes';

/** Mentors, by admins. A name leaves the vault for the admin who looks, with an audit entry; a number never does. */
export function mentors(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('POST /mentors', async (req, res, caller) => {
    const body = checkedBody(newMentor, req);
    checkZone(body.zone);
    const number = numberToRing(body.phoneNumber, '#/phoneNumber', deps.config);
    const { name, phoneNumber: _sealedBelow, ...mentor } = body;
    const request = idempotentRequest(deps.tokenizer, req, caller.subjectId, 'POST /mentors');
    const mentorId = await madeOnce(deps.pool, request, async (tx) => {
      const subjectId = await createSubject(tx, caller.subjectId);
      const nameRecordId = await sealName(deps, subjectId, name, tx);
      const sealed = await sealedNumber(deps, subjectId, number, tx);
      const made = await createMentor(tx, { ...mentor, subjectId, nameRecordId, ...sealed }, caller.subjectId);
      return made.mentorId;
    });
    const made = await getMentor(deps.pool, mentorId);
    if (made === null) throw new Problem('already-deleted');
    res.status(201).set('Location', `/mentors/${mentorId}`);
    await send(deps, res, caller, made);
  });

  routes.signedIn('GET /mentors', async (req, res, caller) => {
    const { cursor, limit } = checkedQuery(listQuery, req);
    const scope: CursorScope = ['GET /mentors', caller.subjectId];
    const page = await listMentors(deps.pool, limit, checkedCursor(deps.tokenizer, scope, cursor));
    const viewer = await viewerOf(deps, caller);
    const list = [];
    // One after another: each name is a transaction of its own with its audit entry.
    for (const mentor of page.rows) {
      const now = await asItIs(deps, viewer, mentor);
      if (now !== null) list.push(now.shown);
    }
    const answer: z.input<typeof mentorPage> = {
      mentors: list,
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('GET /mentors/:mentorId', async (req, res, caller) => {
    await send(deps, res, caller, await known(deps, checkedId(req, 'mentorId')));
  });

  routes.signedIn('PATCH /mentors/:mentorId', async (req, res, caller) => {
    const mentorId = checkedId(req, 'mentorId');
    const { name, phoneNumber, ...change } = checkedBody(mentorChange, req);
    if (change.zone !== undefined) checkZone(change.zone);
    const number = phoneNumber === undefined ? null : numberToRing(phoneNumber, '#/phoneNumber', deps.config);
    const { subjectId, version } = await known(deps, mentorId);
    const expected = expectedVersion(req);
    // Before anything is sealed; the transaction below looks again.
    if (expected !== 'any' && !expected.includes(version)) throw new Problem('stale-version');
    const patch = {
      ...change,
      ...(name === undefined ? {} : { nameRecordId: await sealName(deps, subjectId, name) }),
      ...(number === null ? {} : await sealedNumber(deps, subjectId, number)),
    };
    await send(deps, res, caller, edited(await updateMentor(deps.pool, mentorId, patch, caller.subjectId, expected)));
  });

  routes.signedIn('PUT /mentors/:mentorId/windows', async (req, res, caller) => {
    const mentorId = checkedId(req, 'mentorId');
    const body = checkedBody(newWindows, req);
    await known(deps, mentorId);
    const expected = expectedVersion(req);
    await send(deps, res, caller, edited(await updateMentor(deps.pool, mentorId, body, caller.subjectId, expected)));
  });

  routes.signedIn('DELETE /mentors/:mentorId', async (req, res, caller) => {
    const mentorId = checkedId(req, 'mentorId');
    await known(deps, mentorId);
    const deleted = await deleteMentor(deps.pool, mentorId, caller.subjectId, expectedVersion(req));
    if (deleted === 'held') throw new Problem('subject-held');
    edited(deleted);
    res.status(204).end();
  });
}

/** @throws {Problem} `not-found`, `stale-version` */
function edited<T>(result: T | 'stale' | null): T {
  if (result === null) throw new Problem('not-found');
  if (result === 'stale') throw new Problem('stale-version');
  return result;
}

/** @throws {Problem} `zone-unknown` */
export function checkZone(zone: string): void {
  if (isIanaZone(zone)) return;
  throw new Problem('zone-unknown', {
    errors: [{ pointer: '#/zone', detail: 'A name such as America/New_York is expected here.' }],
  });
}

function sealName({ vault }: ApiDeps, subjectId: string, name: string, tx?: Db): Promise<string> {
  return vault.seal({ subjectId, kind: 'name', value: SealedValue.of('name', name) }, tx);
}

/** Number, token and country belong together: one is never changed without the others. */
async function sealedNumber({ vault, tokenizer }: ApiDeps, subjectId: string, number: PhoneNumber, tx?: Db) {
  return {
    phoneRecordId: await vault.seal({ subjectId, kind: 'phone', value: number.e164 }, tx),
    phoneToken: tokenizer.token(number.e164),
    country: number.country,
  };
}

/** @throws {Problem} `not-found` */
export async function known({ pool }: ApiDeps, mentorId: string): Promise<Mentor> {
  const mentor = await getMentor(pool, mentorId);
  if (mentor === null) throw new Problem('not-found');
  return mentor;
}

/** A mentor as admins and the mentor see them. @throws {Problem} `not-found` for one who was deleted at this moment */
export async function send(deps: ApiDeps, res: Response, caller: Caller, mentor: Mentor): Promise<void> {
  const now = await asItIs(deps, await viewerOf(deps, caller), mentor);
  if (now === null) throw new Problem('not-found');
  res.set('ETag', entityTag(now.version)).json(now.shown);
}

/** Who looks, and which mentor they are themselves, if any. */
interface Viewer {
  readonly actor: string;
  readonly mentorId: string | null;
}

async function viewerOf({ pool }: ApiDeps, { subjectId: actor }: Caller): Promise<Viewer> {
  return { actor, mentorId: await findMentorOfAccount(pool, actor) };
}

/**
 * Row and name are read one after the other. When the name is gone by then, somebody has just given the mentor another
 * one, or has deleted them.
 *
 * @returns null for a mentor who is no more
 */
async function asItIs(
  deps: ApiDeps,
  viewer: Viewer,
  mentor: Mentor,
): Promise<{ shown: z.input<typeof mentorShape>; version: number } | null> {
  try {
    return { shown: await shown(deps, viewer, mentor), version: mentor.version };
  } catch (error) {
    if (!isDestroyed(error)) throw error;
    const later = await getMentor(deps.pool, mentor.mentorId);
    if (later === null) return null;
    // The row still names a record that is gone: not a moment between two statements, but a fault.
    if (later.nameRecordId === mentor.nameRecordId) throw error;
    return asItIs(deps, viewer, later);
  }
}

async function shown(deps: ApiDeps, viewer: Viewer, mentor: Mentor): Promise<z.input<typeof mentorShape>> {
  const { actor } = viewer;
  const purpose = viewer.mentorId === mentor.mentorId ? 'own-view' : 'staff-view';
  const name = await deps.vault.reveal({ recordId: mentor.nameRecordId, purpose, actor });
  return {
    mentorId: mentor.mentorId,
    name: name.expose(),
    country: mentor.country,
    specialties: [...mentor.specialties],
    languages: [...mentor.languages],
    zone: mentor.zone,
    available: mentor.available,
    maxConcurrentCalls: mentor.maxConcurrentCalls,
    currentCalls: mentor.currentCalls,
    windows: [...mentor.windows],
  };
}
