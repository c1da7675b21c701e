import type { Response } from 'express';
import type { z } from 'zod';
import {
  createTemplate,
  deleteTemplate,
  findTemplate,
  getTemplate,
  listTemplates,
  type Template,
  updateTemplate,
} from '../db/templates';
import { mailDocument } from '../domain/mail-document';
import { countSegments } from '../domain/segments';
import { checkVariables, fill, MOST_CHARACTERS, type TemplateBody, templateFaults } from '../domain/templates';
import { checkedBody, checkedId, checkedQuery } from './checked-input';
import type { ApiDeps } from './deps';
import { entityTag, expectedVersion } from './entity-tags';
import { canonicalJson, idempotentRequest, madeOnce } from './idempotency';
import { checkedCursor, type CursorScope, signedCursor } from './paging';
import { Problem } from './problems';
import type { Routes } from './routes';
import { listQuery } from './shared-shapes';
import {
  newTemplate,
  previewRequest,
  type previewShape,
  templateChange,
  type templatePage,
  type templateShape,
  versionQuery,
} from './templates-shapes';

/** The organisation's words: changed by admins, in versions, and looked at before they are sent. */
export function templates(routes: Routes, deps: ApiDeps): void {
  routes.signedIn('POST /templates', async (req, res, caller) => {
    const body = checkedBody(newTemplate, req);
    checkTemplate(body);
    const request = idempotentRequest(deps.tokenizer, req, caller.subjectId, 'POST /templates');
    const templateId = await madeOnce(deps.pool, request, async (tx) => {
      const made = await createTemplate(tx, body, caller.subjectId);
      if (made === null) throw new Problem('template-name-taken');
      return made;
    });
    const made = await getTemplate(deps.pool, templateId);
    if (made === null) throw new Problem('already-deleted');
    res.status(201).set('Location', `/templates/${templateId}`);
    send(res, made);
  });

  routes.signedIn('GET /templates', async (req, res, caller) => {
    const { cursor, limit } = checkedQuery(listQuery, req);
    const scope: CursorScope = ['GET /templates', caller.subjectId];
    const page = await listTemplates(deps.pool, limit, checkedCursor(deps.tokenizer, scope, cursor));
    const answer: z.input<typeof templatePage> = {
      templates: page.rows.map(shown),
      nextCursor: signedCursor(deps.tokenizer, scope, page.nextCursor),
    };
    res.json(answer);
  });

  routes.signedIn('GET /templates/:templateId', async (req, res) => {
    const { version } = checkedQuery(versionQuery, req);
    const template = await getTemplate(deps.pool, checkedId(req, 'templateId'), version ?? null);
    if (template === null) throw new Problem('not-found');
    send(res, template);
  });

  routes.signedIn('PUT /templates/:templateId', async (req, res, caller) => {
    const templateId = checkedId(req, 'templateId');
    const body = checkedBody(templateChange, req);
    checkTemplate(body);
    const before = await getTemplate(deps.pool, templateId);
    if (before === null) throw new Problem('not-found');
    // What the service fills in by itself has to fit for good.
    if (before.isBuiltIn && canonicalJson(before.variables) !== canonicalJson(body.variables)) {
      throw new Problem('template-built-in');
    }
    const now = await updateTemplate(deps.pool, templateId, body, caller.subjectId, expectedVersion(req));
    if (now === null) throw new Problem('not-found');
    if (now === 'stale') throw new Problem('stale-version');
    send(res, now);
  });

  routes.signedIn('DELETE /templates/:templateId', async (req, res, caller) => {
    const templateId = checkedId(req, 'templateId');
    const done = await deleteTemplate(deps.pool, templateId, caller.subjectId, expectedVersion(req));
    if (done === null) throw new Problem('not-found');
    if (done === 'stale') throw new Problem('stale-version');
    if (done === 'built-in') throw new Problem('template-built-in');
    res.status(204).end();
  });

  routes.signedIn('POST /templates/preview', async (req, res) => {
    const { name, version, draft, language, variables } = checkedBody(previewRequest, req);
    if ((name === undefined) === (draft === undefined)) {
      throw new Problem('invalid-body', {
        errors: [{ pointer: '#', detail: 'Exactly one of name and draft is expected.' }],
      });
    }
    if (draft !== undefined) checkTemplate(draft, '#/draft');
    const template = draft ?? (await findTemplate(deps.pool, name ?? '', version ?? null));
    if (template === null) {
      const detail = 'The name of a template is expected here, and one of its versions.';
      throw new Problem('not-found', { errors: [{ pointer: '#/name', detail }] });
    }
    const faults = checkVariables(template, variables);
    if (faults.length > 0) {
      const errors = faults.map(({ pointer, detail }) => ({ pointer: `#/variables${pointer}`, detail }));
      throw new Problem('invalid-body', { errors });
    }
    const text = fill(template, language, variables, 'text');
    if (text.body.length > MOST_CHARACTERS) {
      const detail = `With these variables the text is longer than ${MOST_CHARACTERS} characters.`;
      throw new Problem('invalid-body', { errors: [{ pointer: '#/variables', detail }] });
    }
    const answer: z.input<typeof previewShape> = {
      language: text.language,
      text: text.body,
      ...countSegments(text.body),
      speech: fill(template, language, variables, 'speech').body,
      subject: text.subject,
      html: mailDocument(fill(template, language, variables, 'html'), deps.config),
    };
    res.json(answer);
  });
}

/** @throws {Problem} `template-invalid` */
function checkTemplate(body: TemplateBody, at = '#'): void {
  const faults = templateFaults(body);
  if (faults.length === 0) return;
  const errors = faults.slice(0, 20).map(({ pointer, detail }) => ({ pointer: `${at}${pointer}`, detail }));
  throw new Problem('template-invalid', { errors });
}

function send(res: Response, template: Template): void {
  res.set('ETag', entityTag(template.version)).json(shown(template));
}

function shown({ createdAt, updatedAt, variables, languages, ...rest }: Template): z.input<typeof templateShape> {
  return {
    ...rest,
    variables: { ...variables },
    languages: { ...languages },
    createdAt: createdAt.toISOString(),
    updatedAt: updatedAt.toISOString(),
  };
}
