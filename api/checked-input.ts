import type { Request } from 'express';
import { z } from 'zod';
import { Problem, type ProblemCode, type ProblemPlace } from './problems';

/**
 * The body, as the schema wants it.
 *
 * @throws {Problem} `invalid-body` naming every place, never a value: zod's own texts can quote what was sent
 */
export function checkedBody<S extends z.ZodType>(schema: S, req: Request): z.output<S> {
  const body: unknown = req.body;
  return checked(schema, body ?? {}, 'invalid-body');
}

/** The query, as the schema wants it; a repeated parameter is an array and therefore refused. */
export function checkedQuery<S extends z.ZodType>(schema: S, req: Request): z.output<S> {
  return checked(schema, { ...req.query }, 'invalid-query');
}

/** @throws {Problem} `not-found` for an id that could not be one of ours */
export function checkedId(req: Request, name: string): string {
  const id = z.uuid().safeParse(req.params[name]);
  if (!id.success) throw new Problem('not-found');
  return id.data.toLowerCase();
}

function checked<S extends z.ZodType>(schema: S, value: unknown, code: ProblemCode): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw new Problem(code, { errors: result.error.issues.flatMap(placesOf).slice(0, 20) });
}

function placesOf(issue: z.core.$ZodIssue): ProblemPlace[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      pointer: pointerTo(sayable([...issue.path, key])),
      detail: 'This field is not known here. Leave it out.',
    }));
  }
  return [{ pointer: pointerTo(sayable(issue.path)), detail: detailOf(issue) }];
}

/** The messages of our own schemas are constants and say more than the code does. */
function detailOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom') return issue.message;
  const [ofKey] = issue.code === 'invalid_key' ? issue.issues : [];
  if (ofKey !== undefined) return detailOf(ofKey);
  if (issue.code !== 'invalid_format') return DETAILS[issue.code ?? ''] ?? 'This is not as expected.';
  const isOurs = issue.format === 'regex' && !issue.message.startsWith('Invalid');
  return isOurs ? issue.message : (FORMATS[issue.format] ?? 'This has not the form that is expected here.');
}

/** Up to the first name of theirs that can be more than a name: in a list by names, such as variables, it may be a number. */
function sayable(path: readonly PropertyKey[]): readonly PropertyKey[] {
  const end = path.findIndex((part) => typeof part !== 'number' && !/^[A-Za-z][A-Za-z_]{0,40}\d?$/.test(String(part)));
  return end === -1 ? path : path.slice(0, end);
}

const DETAILS: Readonly<Record<string, string>> = {
  invalid_type: 'This is missing or of the wrong type.',
  invalid_value: 'This is not one of the values that are possible here.',
  too_small: 'This is too small, too short or too few.',
  too_big: 'This is too large, too long or too many.',
};

const FORMATS: Readonly<Record<string, string>> = {
  uuid: 'An id is expected here: a UUID.',
  datetime: 'A time is expected here, as 2026-11-30T09:00:00Z.',
  date: 'A day is expected here, as 2026-11-30.',
  url: 'A web address is expected here.',
};

/** A JSON Pointer (RFC 6901) as a URI fragment. */
export function pointerTo(path: readonly PropertyKey[]): string {
  return [
    '#',
    ...path.map((part) => encodeURIComponent(String(part).replaceAll('~', '~0').replaceAll('/', '~1'))),
  ].join('/');
}
