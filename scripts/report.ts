/**
 * `npm run report -- buddy <buddy id> [--json] [--reveal-ip --actor <subject id>]`: how somebody came to agree to be a buddy, or not, for
 * admins: when which e-mail went out, and what was answered. In the running service or the one that the environment
 * describes. From which address a button was pressed is shown with `--reveal-ip` only, each look with its audit entry
 * in the name of the admin who looks.
 */
import { parseArgs } from 'node:util';
import type { Pool } from 'pg';
import { z } from 'zod';
import { type Config, loadConfig } from '../config/config';
import { type Buddy, findBuddy } from '../db/buddies';
import { buddyTrail, type BuddyTrailEntry } from '../db/buddy-history';
import { createPool } from '../db/pool';
import { hasAccount } from '../db/subjects';
import { createVault, type Vault } from '../db/vault-records';
import { isDestroyed } from '../domain/errors';
import { createSubjectKeyCache } from '../vault/subject-key-cache';
import { CommandError, runCommand } from './command-error';
import { existingKeyRing } from './existing-key-ring';
import { serviceSettings } from './service-settings';

const USAGE =
  'usage: npm run report -- buddy <buddy id, a UUID> [--json] [--reveal-ip --actor <your subject id, a UUID>]';

interface Shown {
  readonly event: string;
  readonly at: string;
  readonly linkVersion: number | null;
  /** Left out unless asked for; null: none was kept, or it was erased. */
  readonly ip?: string | null;
  readonly userAgent?: string | null;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      'reveal-ip': { type: 'boolean', default: false },
      actor: { type: 'string' },
    },
    allowPositionals: true,
  });
  const [what, id, ...more] = positionals;
  const buddyId = z.uuid().safeParse(id?.toLowerCase());
  if (what !== 'buddy' || !buddyId.success || more.length > 0) throw new CommandError(USAGE);
  const actor = values['reveal-ip'] ? actorOf(values.actor) : null;
  const config = loadConfig((await serviceSettings()).env);
  const pool = createPool(config.database, { warn: () => undefined });
  try {
    const [buddy, trail] = await Promise.all([findBuddy(pool, buddyId.data), buddyTrail(pool, buddyId.data)]).catch(
      unreadable,
    );
    if (buddy === null) throw new CommandError('There is no such buddy.');
    const events = actor === null ? trail.map(entryOf) : await revealed(config, pool, trail, actor);
    const head = headOf(buddy);
    process.stdout.write(values.json ? `${JSON.stringify({ ...head, events }, null, 2)}\n` : inWords(head, events));
  } finally {
    await pool.end();
  }
}

function actorOf(given: string | undefined): string {
  const actor = z.uuid().safeParse(given?.toLowerCase());
  if (actor.success) return actor.data;
  throw new CommandError(`Who looks is audited: give your own subject id with --actor.\n${USAGE}`);
}

/** A look in the name of nobody could be anybody's. */
async function checkActor(pool: Pool, actor: string): Promise<void> {
  if (!(await hasAccount(pool, actor).catch(unreadable))) {
    throw new CommandError('--actor is nobody who has signed in: give your own subject id.');
  }
}

function unreadable(): never {
  // Its own text names host, role and database.
  throw new CommandError('The database does not answer, refuses the role of its URL, or needs npm run migrate -- up.');
}

async function revealed(
  config: Config,
  pool: Pool,
  trail: readonly BuddyTrailEntry[],
  actor: string,
): Promise<Shown[]> {
  await checkActor(pool, actor);
  const cache = createSubjectKeyCache();
  const vault = createVault({ pool, keyRing: await existingKeyRing(config), cache, logger: { warn: () => undefined } });
  try {
    const shown: Shown[] = [];
    for (const entry of trail) {
      const ip = await read(vault, entry.ipRecordId, actor);
      const userAgent = await read(vault, entry.userAgentRecordId, actor);
      shown.push({ ...entryOf(entry), ip, userAgent });
    }
    return shown;
  } finally {
    await vault.close();
  }
}

async function read(vault: Vault, recordId: string | null, actor: string): Promise<string | null> {
  if (recordId === null) return null;
  try {
    return (await vault.reveal({ recordId, purpose: 'staff-view', actor })).expose();
  } catch (error) {
    if (isDestroyed(error)) return null;
    throw error;
  }
}

function entryOf({ event, at, linkVersion }: BuddyTrailEntry): Shown {
  return { event, at: at.toISOString(), linkVersion };
}

function headOf({ buddyId, userId, subjectId, status, invitationsSent, isActive, removedAt, createdAt }: Buddy) {
  return {
    buddyId,
    userId,
    subjectId,
    status,
    isActive,
    invitationsSent,
    createdAt: createdAt.toISOString(),
    removedAt: removedAt?.toISOString() ?? null,
  };
}

function inWords(head: ReturnType<typeof headOf>, events: readonly Shown[]): string {
  const about = Object.entries(head).map(([name, value]) => `${name.padEnd(16)} ${value ?? '–'}`);
  const lines = events.map(({ event, at, linkVersion, ip, userAgent }) => {
    const from = ip === undefined ? '' : `  ${ip ?? '–'}  ${userAgent ?? '–'}`;
    return `${at}  ${event.padEnd(14)} ${linkVersion === null ? '' : `link ${linkVersion}`}${from}`.trimEnd();
  });
  return `${[...about, '', ...(lines.length === 0 ? ['Nothing has happened yet.'] : lines)].join('\n')}\n`;
}

void runCommand(main);
