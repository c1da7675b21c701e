import { z } from 'zod';
import { createMentor, deleteMentor, getMentor, listMentors, type Mentor, updateMentor } from '../db/mentors';
import { createSubject } from '../db/subjects';
import { isIanaZone, secondsOfDay } from '../domain/availability';
import type { PhoneNumber } from '../domain/phone-number';
import { SealedValue } from '../domain/sealed';
import type { Caller } from './authentication';
import { checkedBody, checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { numberToRing } from './given-numbers';
import { languageCode, specialtyName } from './mentor-call-requests';
import { checkedCursor, listQuery } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';

const timeOfDay = z
  .string()
  .refine((time) => secondsOfDay(time) !== null, 'A time of day such as 09:00 is expected here.');

/** `[starts, ends)` in the mentor's own zone; an end at or before the start is on the next day. */
const windowBody = z.strictObject({ weekday: z.int().min(1).max(7), starts: timeOfDay, ends: timeOfDay });
const windows = z.array(windowBody).max(50);

const changeable = {
  name: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .regex(/^[^\p{Cc}]*$/u),
  phoneNumber: z.string().max(64),
  specialties: z.array(specialtyName).max(20),
  languages: z.array(languageCode).min(1).max(10),
  zone: z.string().max(64),
  available: z.boolean(),
  maxConcurrentCalls: z.int().min(1).max(20),
};

const newMentor = z.strictObject({
  ...changeable,
  specialties: changeable.specialties.default([]),
  available: changeable.available.default(true),
  maxConcurrentCalls: changeable.maxConcurrentCalls.default(1),
  windows: windows.default([]),
});
const mentorChange = z.strictObject(changeable).partial();

/** Mentors, by admins. A name leaves the vault for the admin who looks, with an audit entry; a number never does. */
export function mentors(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('POST /mentors', async (req, res, caller) => {
    const body = checkedBody(newMentor, req);
    checkZone(body.zone);
    const number = numberToRing(body.phoneNumber, '#/phoneNumber', deps.config.limits.allowedCountries);
    const { name, phoneNumber: _sealedBelow, ...mentor } = body;
    const subjectId = await createSubject(deps.pool, caller.subjectId);
    const made = await createMentor(
      deps.pool,
      {
        ...mentor,
        subjectId,
        nameRecordId: await sealName(deps, subjectId, name),
        ...(await sealedNumber(deps, subjectId, number)),
      },
      caller.subjectId,
    );
    res
      .status(201)
      .set('Location', `/mentors/${made.mentorId}`)
      .json(await shown(deps, caller, made));
  });

  routes.signedIn('GET /mentors', async (req, res, caller) => {
    const { cursor, limit } = checkedQuery(listQuery, req);
    const page = await listMentors(deps.pool, limit, checkedCursor(cursor));
    const list = [];
    // One after another: each name is a transaction of its own with its audit entry.
    for (const mentor of page.rows) list.push(await shown(deps, caller, mentor));
    res.json({ mentors: list, nextCursor: page.nextCursor });
  });

  routes.signedIn('GET /mentors/:mentorId', async (req, res, caller) => {
    res.json(await shown(deps, caller, await known(deps, checkedId(req, 'mentorId'))));
  });

  routes.signedIn('PATCH /mentors/:mentorId', async (req, res, caller) => {
    const mentorId = checkedId(req, 'mentorId');
    const { name, phoneNumber, ...change } = checkedBody(mentorChange, req);
    if (change.zone !== undefined) checkZone(change.zone);
    const number =
      phoneNumber === undefined
        ? null
        : numberToRing(phoneNumber, '#/phoneNumber', deps.config.limits.allowedCountries);
    const { subjectId } = await known(deps, mentorId);
    const patch = {
      ...change,
      ...(name === undefined ? {} : { nameRecordId: await sealName(deps, subjectId, name) }),
      ...(number === null ? {} : await sealedNumber(deps, subjectId, number)),
    };
    const changed = await updateMentor(deps.pool, mentorId, patch, caller.subjectId);
    if (changed === null) throw new Problem('not-found');
    res.json(await shown(deps, caller, changed));
  });

  routes.signedIn('PUT /mentors/:mentorId/windows', async (req, res, caller) => {
    const mentorId = checkedId(req, 'mentorId');
    const body = checkedBody(z.strictObject({ windows }), req);
    const changed = await updateMentor(deps.pool, mentorId, body, caller.subjectId);
    if (changed === null) throw new Problem('not-found');
    res.json(await shown(deps, caller, changed));
  });

  routes.signedIn('DELETE /mentors/:mentorId', async (req, res, caller) => {
    if (!(await deleteMentor(deps.pool, checkedId(req, 'mentorId'), caller.subjectId))) throw new Problem('not-found');
    res.status(204).end();
  });
}

function checkZone(zone: string): void {
  if (isIanaZone(zone)) return;
  throw new Problem('zone-unknown', {
    errors: [{ pointer: '#/zone', detail: 'A name such as America/New_York is expected here.' }],
  });
}

function sealName({ vault }: ApiDeps, subjectId: string, name: string): Promise<string> {
  return vault.seal({ subjectId, kind: 'name', value: SealedValue.of('name', name) });
}

/** Number, token and country belong together: one is never changed without the others. */
async function sealedNumber({ vault, tokenizer }: ApiDeps, subjectId: string, number: PhoneNumber) {
  return {
    phoneRecordId: await vault.seal({ subjectId, kind: 'phone', value: number.e164 }),
    phoneToken: tokenizer.token(number.e164),
    country: number.country,
  };
}

/** @throws {Problem} `not-found` */
async function known({ pool }: ApiDeps, mentorId: string): Promise<Mentor> {
  const mentor = await getMentor(pool, mentorId);
  if (mentor === null) throw new Problem('not-found');
  return mentor;
}

async function shown(deps: ApiDeps, caller: Caller, mentor: Mentor) {
  const actor = caller.subjectId;
  const name = await deps.vault.reveal({ recordId: mentor.nameRecordId, purpose: 'staff-view', actor });
  return {
    mentorId: mentor.mentorId,
    name: name.expose(),
    country: mentor.country,
    specialties: mentor.specialties,
    languages: mentor.languages,
    zone: mentor.zone,
    available: mentor.available,
    maxConcurrentCalls: mentor.maxConcurrentCalls,
    currentCalls: mentor.currentCalls,
    windows: mentor.windows,
  };
}
