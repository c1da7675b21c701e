import type { Response } from 'express';
import type { z } from 'zod';
import { appendAudit } from '../db/audit';
import { inTransaction } from '../db/pool';
import { findProfile, saveProfile } from '../db/user-profiles';
import { destroyRecord } from '../db/vault-rows';
import { RecordDestroyed } from '../domain/errors';
import { SealedValue } from '../domain/sealed';
import type { Caller } from './authentication';
import { newProfile, type profileShape } from './buddies-shapes';
import { checkedBody } from './checked-input';
import type { ApiDeps } from './deps';
import { Problem } from './problems';
import type { Routes } from './routes';

/** What users tell of themselves for their buddies: the first name in messages, and how they hear of answers. */
export function userProfile(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('GET /api/users/me/profile', async (_req, res, caller) => {
    await send(deps, res, caller);
  });

  routes.signedIn('PUT /api/users/me/profile', async (req, res, caller) => {
    await writeProfile(deps, caller, checkedBody(newProfile, req));
    await send(deps, res, caller);
  });
}

/** The name is sealed anew; the one before is destroyed. */
export async function writeProfile(
  { pool, vault }: Pick<ApiDeps, 'pool' | 'vault'>,
  { subjectId }: Caller,
  { firstName, language, tellMeBy, timeZone }: z.output<typeof newProfile>,
): Promise<void> {
  await inTransaction(pool, async (tx) => {
    const value = SealedValue.of('name', firstName);
    const nameRecordId = await vault.seal({ subjectId, kind: 'name', value }, tx);
    const before = await saveProfile(tx, {
      userId: subjectId,
      nameRecordId,
      language,
      tellMeBy,
      timeZone: timeZone ?? null,
    });
    if (before !== null) await destroyRecord(tx, before, { reason: 'replaced', actor: subjectId });
    const entry = { actor: subjectId, action: 'profile.changed', objectId: subjectId, outcome: 'done' } as const;
    await appendAudit(tx, entry);
  });
}

async function send(deps: ApiDeps, res: Response, caller: Caller): Promise<void> {
  const profile = await shownProfile(deps, caller);
  if (profile === null) throw new Problem('not-found');
  res.json(profile);
}

/** Somebody who saves it at this moment has replaced the name: then it is read anew. Several may save it at once. */
const READ_AT_MOST = 10;

/** Null for a user who has told nothing yet. @throws {Problem} `temporarily-unavailable` while the name is replaced */
export async function shownProfile(
  { pool, vault }: Pick<ApiDeps, 'pool' | 'vault'>,
  { subjectId }: Caller,
): Promise<z.input<typeof profileShape> | null> {
  for (let read = 1; read <= READ_AT_MOST; read += 1) {
    const profile = await findProfile(pool, subjectId);
    if (profile === null) return null;
    const { nameRecordId: recordId, updatedAt, ...told } = profile;
    try {
      const name = await vault.reveal({ recordId, purpose: 'own-view', actor: subjectId });
      return { ...told, firstName: name.expose(), updatedAt: updatedAt.toISOString() };
    } catch (error) {
      if (!(error instanceof RecordDestroyed)) throw error;
    }
  }
  throw new Problem('temporarily-unavailable');
}
