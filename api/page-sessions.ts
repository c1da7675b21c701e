import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';
import type { Pool } from 'pg';
import { z } from 'zod';
import { endPageSession, isPageSessionEnded } from '../db/page-sessions';
import type { CookieSeal } from '../vault/cookie-seal';
import type { Tokenizer } from '../vault/tokens';
import { type Caller, type Role, ROLES } from './authentication';
import { field } from './page-answers';
import { Problem } from './problems';

/** Somebody who is signed in to the pages. */
export interface Visitor extends Caller {
  /** For the forms on this page: bound to the session, so that no other page can know it. */
  readonly formToken: string;
  readonly sessionHash: Buffer;
  readonly expiresAt: Date;
}

/** What a sign-in that is under way comes back with, and where it leads then. */
const pendingShape = z.object({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  to: z.string(),
  until: z.number(),
});
export type Pending = Omit<z.output<typeof pendingShape>, 'until'>;

const sessionShape = z.object({
  id: z.string(),
  subjectId: z.uuid(),
  roles: z.array(z.enum(ROLES)),
  /** Epoch milliseconds. */
  until: z.number(),
});

/** How long the issuer's own page may take (ms). */
const SIGN_IN_WITHIN = 10 * 60_000;

export interface PageSessionParts {
  readonly pool: Pool;
  readonly tokenizer: Tokenizer;
  readonly cookies: CookieSeal;
  /** Of the API: its origin is where forms come from, and with https cookies never leave it. */
  readonly publicBaseUrl: string;
  readonly lifetimeMs: number;
}

/** Who is signed in to the pages: a sealed cookie that no script can read, good for an hour and for nothing but pages. */
export interface PageSessions {
  begin(res: Response, subjectId: string, roles: readonly Role[]): void;
  /** Null: nobody, or not any more. */
  visitor(req: Request): Promise<Visitor | null>;
  /** From now on the session is over, whoever holds a copy of its cookie. */
  end(res: Response, visitor: Visitor): Promise<void>;
  /** Whether a form came from a page of ours, by what the browser says of it. @throws {Problem} `form-not-ours` */
  checkSender(req: Request): void;
  /** Whether it came from a page of this session. @throws {Problem} `form-not-ours` */
  checkForm(req: Request, visitor: Visitor): void;
  rememberSignIn(res: Response, pending: Pending): void;
  /** What was remembered, once: its cookie goes with it. Null when there is nothing, or not any more. */
  takeSignIn(req: Request, res: Response): Pending | null;
}

export function createPageSessions(parts: PageSessionParts): PageSessions {
  const { pool, tokenizer, cookies, lifetimeMs } = parts;
  const { origin, protocol } = new URL(parts.publicBaseUrl);
  const isSecure = protocol === 'https:';
  // `__Host-`: no other host, and no page without TLS, can set it.
  const name = (short: string): string => (isSecure ? `__Host-kindline-${short}` : `kindline-${short}`);
  const attributes = { httpOnly: true, secure: isSecure, sameSite: 'lax', path: '/' } as const;

  return {
    begin(res, subjectId, roles) {
      const session = { id: randomBytes(16).toString('base64url'), subjectId, roles, until: Date.now() + lifetimeMs };
      res.cookie(name('session'), cookies.seal('session', session), { ...attributes, maxAge: lifetimeMs });
    },

    async visitor(req) {
      const session = sessionShape.safeParse(cookies.open('session', cookie(req, name('session'))));
      if (!session.success || session.data.until <= Date.now()) return null;
      const { id, subjectId, roles, until } = session.data;
      const sessionHash = tokenizer.keyedHash('page-session', id);
      if (await isPageSessionEnded(pool, sessionHash)) return null;
      const formToken = tokenizer.keyedHash('page-form', id).toString('base64url');
      return { subjectId, roles, formToken, sessionHash, expiresAt: new Date(until) };
    },

    async end(res, { sessionHash, expiresAt }) {
      await endPageSession(pool, sessionHash, expiresAt);
      res.clearCookie(name('session'), attributes);
    },

    checkSender(req) {
      const { origin: said, 'sec-fetch-site': site } = req.headers;
      // Browsers say both; one that says neither is left to the token.
      if (said !== undefined && said !== origin) throw new Problem('form-not-ours');
      if (site !== undefined && site !== 'same-origin') throw new Problem('form-not-ours');
    },

    checkForm(req, visitor) {
      const given = Buffer.from(field(req, 'formToken'));
      const expected = Buffer.from(visitor.formToken);
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw new Problem('form-not-ours');
    },

    rememberSignIn(res, pending) {
      const sealed = cookies.seal('sign-in', { ...pending, until: Date.now() + SIGN_IN_WITHIN });
      res.cookie(name('sign-in'), sealed, { ...attributes, maxAge: SIGN_IN_WITHIN });
    },

    takeSignIn(req, res) {
      const pending = pendingShape.safeParse(cookies.open('sign-in', cookie(req, name('sign-in'))));
      res.clearCookie(name('sign-in'), attributes);
      return pending.success && pending.data.until > Date.now() ? pending.data : null;
    },
  };
}

/** The value of a cookie of ours; empty when it is not there. None of ours has a character that would be escaped. */
function cookie(req: Request, name: string): string {
  const pairs = (req.headers.cookie ?? '').split(';').map((pair) => pair.trim());
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? '';
}
