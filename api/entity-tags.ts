import type { Request } from 'express';
import type { ExpectedVersion } from '../db/mentors';
import { Problem } from './problems';

/**
 * Editing without losing another's edit (RFC 9110, 13.1.1): what is edited has a version, its `ETag`; an edit names in
 * `If-Match` the one it was made from.
 */
export function entityTag(version: number): string {
  return `"${version}"`;
}

/**
 * The versions that the request may change. `*` is any: whoever sends it has decided to overwrite.
 *
 * @throws {Problem} `precondition-required` without the header
 */
export function expectedVersion(req: Request): ExpectedVersion {
  const header = req.get('If-Match');
  if (header === undefined) throw new Problem('precondition-required');
  if (header.trim() === '*') return 'any';
  // A weak tag (`W/"3"`), or what is no tag of ours, fits no version: it ends as stale, never as a change.
  return header.split(',').flatMap((tag) => {
    const version = /^"(\d{1,9})"$/.exec(tag.trim())?.[1];
    return version === undefined ? [] : [Number(version)];
  });
}
