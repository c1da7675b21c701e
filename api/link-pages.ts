import type { Request } from 'express';
import type { Db } from '../db/query';
import { SealedValue } from '../domain/sealed';
import { linkHash } from '../vault/link-tokens';
import { LINK_LANGUAGES, type LinkLanguage } from '../web/link-page';
import type { ApiDeps } from './deps';

/** The hash of the link a page was asked by, wherever its token stands; null for what cannot be one. */
export function hashOfLink(req: Request): Buffer | null {
  const token = req.params['token'] ?? req.query['token'];
  return typeof token === 'string' ? linkHash(token) : null;
}

/** As the browser wants it, where the page does not know better. */
export function languageAsked(req: Request): LinkLanguage {
  const wanted = req.acceptsLanguages(...LINK_LANGUAGES);
  return LINK_LANGUAGES.find((language) => language === wanted) ?? 'en';
}

/** Vault records of where a button was pressed from. */
export interface Visit {
  readonly ipRecordId: string | null;
  readonly userAgentRecordId: string | null;
}

/** Longer user agents are made to be looked at. */
const LONGEST_USER_AGENT = 300;

/**
 * Seals the address and the browser of whoever pressed, under the key of the person the link belongs to.
 * @throws {SubjectErased}
 */
export async function sealVisit(
  { vault }: Pick<ApiDeps, 'vault'>,
  req: Request,
  { subjectId, expiresAt }: { readonly subjectId: string; readonly expiresAt?: Date },
  tx?: Db,
): Promise<Visit> {
  const until = expiresAt === undefined ? {} : { expiresAt };
  const { ip } = req;
  const agent = req.headers['user-agent']?.slice(0, LONGEST_USER_AGENT);
  const seal = (kind: 'ip' | 'user-agent', text: string) =>
    vault.seal({ subjectId, kind, value: SealedValue.of(kind, text), ...until }, tx);
  return {
    ipRecordId: ip === undefined ? null : await seal('ip', ip),
    userAgentRecordId: agent === undefined || agent === '' ? null : await seal('user-agent', agent),
  };
}
