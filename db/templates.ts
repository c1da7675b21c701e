/** Templates and their versions. A version is only ever added; whoever names one gets the same words for ever. */
import type { Pool } from 'pg';
import { z } from 'zod';
import { type TemplateBody, VALUE_TYPES } from '../domain/templates';
import { appendAudit } from './audit';
import { cursorTime, decodeCursor, type Page, toPage } from './cursor';
import type { ExpectedVersion } from './mentors';
import { inTransaction } from './pool';
import { type Db, execute, many, maybeOne, one } from './query';

export interface Template extends TemplateBody {
  readonly templateId: string;
  readonly name: string;
  /** Of these words; of the template as it is now unless another was asked for. */
  readonly version: number;
  /** The service itself sends it: it can be changed, and not deleted. */
  readonly isBuiltIn: boolean;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const definition = z.object({
  type: z.enum(VALUE_TYPES),
  maxLength: z.int().optional(),
  min: z.number().optional(),
  max: z.number().optional(),
  isSpelled: z.boolean().optional(),
});
const words = z.object({
  text: z.string(),
  subject: z.string().optional(),
  speech: z.string().optional(),
  mail: z.string().optional(),
});

const templateRow = z
  .object({
    template_id: z.uuid(),
    name: z.string(),
    version: z.int(),
    is_built_in: z.boolean(),
    created_at: z.date(),
    updated_at: z.date(),
    variables: z.record(z.string(), definition),
    languages: z.record(z.string(), words),
    cursor_at: z.string(),
  })
  .readonly();

const SELECT_TEMPLATE = `
  SELECT t.template_id, t.name, v.version, t.is_built_in, t.created_at, t.updated_at, v.variables, v.languages,
         ${cursorTime('t.created_at')} AS cursor_at
    FROM templates t JOIN template_versions v USING (template_id)`;

/**
 * The template of this name as it is now, or one of its versions.
 * @param version null: the newest. A version is found also when there is a newer one.
 * @returns null when there is no such template, or it has been deleted
 */
export async function findTemplate(db: Db, name: string, version: number | null): Promise<Template | null> {
  const row = await maybeOne(
    db,
    templateRow,
    `${SELECT_TEMPLATE} WHERE t.name = $1 AND t.deleted_at IS NULL AND v.version = coalesce($2, t.version)`,
    [name, version],
  );
  return row === null ? null : toTemplate(row);
}

/** As {@link findTemplate}, by id. */
export async function getTemplate(db: Db, templateId: string, version: number | null = null): Promise<Template | null> {
  const row = await maybeOne(
    db,
    templateRow,
    `${SELECT_TEMPLATE} WHERE t.template_id = $1 AND t.deleted_at IS NULL AND v.version = coalesce($2, t.version)`,
    [templateId, version],
  );
  return row === null ? null : toTemplate(row);
}

/** The version that something in flight was begun with: also of a template that has been deleted since. */
export async function pinnedTemplate(db: Db, templateId: string, version: number): Promise<Template> {
  return toTemplate(
    await one(db, templateRow, `${SELECT_TEMPLATE} WHERE t.template_id = $1 AND v.version = $2`, [templateId, version]),
  );
}

/** All templates by age, oldest first, a page at a time. A cursor that is not ours starts from the beginning. */
export async function listTemplates(db: Db, limit: number, cursor?: string | null): Promise<Page<Template>> {
  const after = cursor == null ? null : decodeCursor(cursor);
  const rows = await many(
    db,
    templateRow,
    `${SELECT_TEMPLATE}
      WHERE t.deleted_at IS NULL AND v.version = t.version
        AND ($2::timestamptz IS NULL OR (t.created_at, t.template_id) > ($2::timestamptz, $3::uuid))
      ORDER BY t.created_at, t.template_id LIMIT $1`,
    [limit + 1, after?.at ?? null, after?.id ?? null],
  );
  return toPage(rows, limit, (row) => row.template_id, toTemplate);
}

/** Makes a template with its first version. @returns null when another one has the name. Run it in a transaction. */
export async function createTemplate(
  tx: Db,
  { name, ...body }: TemplateBody & { readonly name: string },
  actor: string,
): Promise<string | null> {
  const made = await maybeOne(
    tx,
    z.object({ template_id: z.uuid() }),
    'INSERT INTO templates (name) VALUES ($1) ON CONFLICT (name) WHERE deleted_at IS NULL DO NOTHING RETURNING template_id',
    [name],
  );
  if (made === null) return null;
  await addVersion(tx, made.template_id, 1, body);
  await appendAudit(tx, { actor, action: 'template.created', objectId: made.template_id, outcome: 'done' });
  return made.template_id;
}

/**
 * Adds a version, which is the template from then on.
 * @returns null when there is no such template; `stale` when somebody else has changed it since
 */
export async function updateTemplate(
  pool: Pool,
  templateId: string,
  body: TemplateBody,
  actor: string,
  expected: ExpectedVersion,
): Promise<Template | 'stale' | null> {
  return await inTransaction(pool, async (tx) => {
    const before = await lockedTemplate(tx, templateId);
    if (before === null) return null;
    if (expected !== 'any' && !expected.includes(before.version)) return 'stale';
    const version = before.version + 1;
    await addVersion(tx, templateId, version, body);
    await execute(tx, 'UPDATE templates SET version = $2, updated_at = clock_timestamp() WHERE template_id = $1', [
      templateId,
      version,
    ]);
    await appendAudit(tx, { actor, action: 'template.changed', objectId: templateId, outcome: 'done' });
    return await getTemplate(tx, templateId);
  });
}

/** Nobody can name it any more; what is in flight keeps its words. */
export async function deleteTemplate(
  pool: Pool,
  templateId: string,
  actor: string,
  expected: ExpectedVersion,
): Promise<'deleted' | 'stale' | 'built-in' | null> {
  return await inTransaction(pool, async (tx) => {
    const before = await lockedTemplate(tx, templateId);
    if (before === null) return null;
    if (before.is_built_in) return 'built-in';
    if (expected !== 'any' && !expected.includes(before.version)) return 'stale';
    await execute(tx, 'UPDATE templates SET deleted_at = clock_timestamp() WHERE template_id = $1', [templateId]);
    await appendAudit(tx, { actor, action: 'template.deleted', objectId: templateId, outcome: 'done' });
    return 'deleted';
  });
}

function lockedTemplate(tx: Db, templateId: string) {
  return maybeOne(
    tx,
    z.object({ version: z.int(), is_built_in: z.boolean() }),
    `SELECT version, is_built_in FROM templates
      WHERE template_id = $1 AND deleted_at IS NULL FOR NO KEY UPDATE`,
    [templateId],
  );
}

async function addVersion(tx: Db, templateId: string, version: number, body: TemplateBody): Promise<void> {
  await execute(
    tx,
    'INSERT INTO template_versions (template_id, version, variables, languages) VALUES ($1, $2, $3, $4)',
    [templateId, version, body.variables, body.languages],
  );
}

function toTemplate(row: z.output<typeof templateRow>): Template {
  return {
    templateId: row.template_id,
    name: row.name,
    version: row.version,
    isBuiltIn: row.is_built_in,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    variables: row.variables,
    languages: row.languages,
  };
}
