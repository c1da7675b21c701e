import type { Request, Response } from 'express';
import {
  blockEverybody,
  endByLink,
  findBuddyByLink,
  type LinkedBuddy,
  type ProvenTokens,
  type SealFrom,
} from '../db/buddy-rights';
import { inTransaction } from '../db/pool';
import type { Db } from '../db/query';
import { buddyLanguage } from '../domain/buddies';
import { RecordDestroyed, SubjectErased, SubjectHeld } from '../domain/errors';
import { renderRights, renderRightsEnd, type ShownOfBuddy } from '../web/buddy-rights';
import { RIGHTS_STEPS, type RightsNotice, type RightsStep } from '../web/buddy-rights-words';
import type { Page } from '../web/layout';
import { exportOfBuddy, shownOfBuddy } from './buddy-data';
import { tellEndings } from './buddy-endings';
import type { ApiDeps } from './deps';
import { hashOfLink, languageAsked, sealVisit } from './link-pages';
import { field, sendPage } from './page-answers';
import type { Routes } from './routes';

/**
 * What buddies may do for themselves, by any link that was ever sent to them, also one that ran out: they have no account,
 * and whoever has the link has the mailbox or the phone. Opening it shows buttons and changes nothing; each button may be
 * pressed again and says the same.
 */
export function buddyRights(routes: Routes, deps: ApiDeps): void {
  routes.link('GET /api/buddy/rights/:token', async (req, res) => {
    const linked = await open(deps, req);
    const page = { language: languageOf(linked, req), privacyPolicyUrl: deps.config.privacyPolicyUrl };
    if (linked === null || linked.isErased) sendPage(res, renderRightsEnd('gone', page), 404);
    else sendPage(res, renderRights(page));
  });

  routes.link('POST /api/buddy/rights/:token', async (req, res) => {
    const linked = await open(deps, req);
    const page = { language: languageOf(linked, req), privacyPolicyUrl: deps.config.privacyPolicyUrl };
    const step = RIGHTS_STEPS.find((each) => each === field(req, 'step')) ?? null;
    if (linked === null || (linked.isErased && step !== 'erase')) {
      return sendPage(res, renderRightsEnd('gone', page), 404);
    }
    try {
      const done = step === null ? {} : await STEPS[step](deps, req, linked);
      answer(res, done, page);
    } catch (error) {
      // Between our look and the deed: there is nothing left to show or to do.
      if (!(error instanceof SubjectErased)) throw error;
      sendPage(res, renderRightsEnd('gone', page), 404);
    }
  });
}

interface Done {
  readonly notice?: RightsNotice;
  readonly shown?: ShownOfBuddy;
  /** The body of a file. */
  readonly file?: string;
  readonly isErased?: true;
}

function answer(res: Response, done: Done, page: Parameters<typeof renderRights>[0]): void {
  if (done.file !== undefined) {
    res.attachment('kindline-my-data.json').type('json').send(done.file);
    return;
  }
  const rendered: Page = done.isErased === true ? renderRightsEnd('erased', page) : renderRights({ ...page, ...done });
  sendPage(res, rendered, done.notice === 'kept' ? 409 : 200);
}

type Step = (deps: ApiDeps, req: Request, linked: LinkedBuddy) => Promise<Done>;

const STEPS: Readonly<Record<RightsStep, Step>> = {
  see: async (deps, _req, linked) => ({ shown: await shownOfBuddy(deps, linked) }),

  export: async (deps, _req, linked) => ({ file: await exportOfBuddy(deps, linked) }),

  withdraw: async (deps, req, linked) => {
    await once(deps, req, linked, (tx, sealFrom) => endByLink(tx, linked, 'withdrawn', sealFrom));
    return { notice: 'withdrawn' };
  },

  block: async (deps, req, linked) => {
    if (isForgotten(linked)) return { notice: 'not-known-any-more' };
    await once(deps, req, linked, (tx, sealFrom) => endByLink(tx, linked, 'blocked', sealFrom));
    return { notice: 'blocked' };
  },

  'block-everybody': async (deps, req, linked) => {
    const proven = await provenTokens(deps, linked);
    if (proven === null) return { notice: 'not-known-any-more' };
    await once(deps, req, linked, (tx, sealFrom) => blockEverybody(tx, linked, proven, sealFrom));
    return { notice: 'blocked-everybody' };
  },

  // Where they pressed from is not sealed: it would be destroyed a moment later. Of whom the user took off the list, how
  // often they were asked has counted on until now: what holds instead is that they have withdrawn.
  erase: async (deps, _req, linked) => {
    const { subjectId } = linked.buddy;
    await inTransaction(deps.pool, (tx) => endByLink(tx, linked, 'withdrawn'));
    await tellEndings(deps);
    try {
      await deps.vault.eraseSubject(subjectId, subjectId);
    } catch (error) {
      if (error instanceof SubjectHeld) return { notice: 'kept' };
      throw error;
    }
    return { isErased: true };
  },
};

async function open(deps: ApiDeps, req: Request): Promise<LinkedBuddy | null> {
  const hash = hashOfLink(req);
  return hash === null ? null : await findBuddyByLink(deps.pool, hash);
}

function languageOf(linked: LinkedBuddy | null, req: Request): ReturnType<typeof languageAsked> {
  return linked === null ? languageAsked(req) : buddyLanguage(linked.buddy.language);
}

/** Ends the transaction of a press that changed nothing. */
class NothingChanged extends Error {
  override readonly name = 'NothingChanged';
}

/**
 * Does something with where it was done from, and lets running workflows hear of it. A press that changes nothing leaves
 * nothing behind, no address of whoever pressed either.
 */
async function once(
  deps: ApiDeps,
  req: Request,
  { buddy }: LinkedBuddy,
  change: (tx: Db, sealFrom: SealFrom) => Promise<boolean>,
): Promise<void> {
  try {
    await inTransaction(deps.pool, async (tx) => {
      const sealFrom = () => sealVisit(deps, req, { subjectId: buddy.subjectId }, tx);
      if (!(await change(tx, sealFrom))) throw new NothingChanged();
    });
  } catch (error) {
    if (!(error instanceof NothingChanged)) throw error;
  }
  await tellEndings(deps);
}

/** Nothing is left by which they could be known should they be named again. */
function isForgotten({ buddy, token }: LinkedBuddy): boolean {
  return buddy.emailToken === null && buddy.phoneToken === null && token === null;
}

/** Of the address or number that the link was sent to, under every version of the key where it can still be read. */
async function provenTokens(
  { vault, tokenizer }: ApiDeps,
  { buddy, proves, token }: LinkedBuddy,
): Promise<ProvenTokens | null> {
  const recordId = proves === 'email' ? buddy.emailRecordId : buddy.phoneRecordId;
  try {
    const value = await vault.reveal({ recordId, purpose: 'route', actor: buddy.subjectId });
    const { version: tokenVersion } = tokenizer;
    return { token: tokenizer.token(value), tokenVersion, candidates: tokenizer.candidates(value) };
  } catch (error) {
    if (!(error instanceof RecordDestroyed)) throw error;
    return token === null ? null : { token, tokenVersion: buddy.tokenVersion, candidates: [token] };
  }
}
