import { z } from 'zod';
import { DEFAULT_TEXT_LENGTH, DEFAULT_URL_LENGTH } from '../domain/template-values';
import { MOST_CHARACTERS, VALUE_TYPES, VARIABLE_NAME } from '../domain/templates';
import { languageCode, nextCursor, time } from './shared-shapes';

const variableShape = z
  .strictObject({
    type: z.enum(VALUE_TYPES).meta({
      description:
        'text: one line. number. time: ISO 8601 with an offset, shown by its own clock. url: https, a link in e-mail.',
    }),
    maxLength: z
      .int()
      .min(1)
      .max(1_000)
      .optional()
      .meta({ description: `Of a text (${DEFAULT_TEXT_LENGTH} unless given) or url (${DEFAULT_URL_LENGTH}).` }),
    min: z.number().optional().meta({ description: 'Of a number.' }),
    max: z.number().optional().meta({ description: 'Of a number.' }),
    isSpelled: z.boolean().optional().meta({ description: 'A code: spoken sign by sign.' }),
  })
  .meta({ id: 'TemplateVariable' });

const words = z
  .strictObject({
    text: z
      .string()
      .trim()
      .min(1)
      .max(MOST_CHARACTERS)
      .meta({ description: 'The source: `{{name}}` for variables, blank lines between paragraphs.' }),
    subject: z.string().trim().min(1).max(120).optional().meta({ description: 'Of an e-mail.' }),
    speech: z
      .string()
      .trim()
      .min(1)
      .max(MOST_CHARACTERS)
      .optional()
      .meta({ description: 'Spoken in place of the text.' }),
    mail: z
      .string()
      .trim()
      .min(1)
      .max(MOST_CHARACTERS)
      .optional()
      .meta({ description: 'In an e-mail in place of the text: nobody reads a STOP that comes by mail.' }),
  })
  .meta({ id: 'TemplateWords' });

const body = {
  variables: z
    .record(
      z.string().regex(VARIABLE_NAME, 'A name of letters and digits is expected here, a small letter first.'),
      variableShape,
    )
    .default({}),
  languages: z
    .record(languageCode, words)
    .refine((all) => Object.keys(all).length > 0, 'At least one language is expected here.')
    .meta({ description: 'By language. Who wants another one gets English, else the first.' }),
};

export const templateName = z
  .string()
  .regex(/^[a-z][a-z0-9.-]{0,39}$/, 'A name in small letters, digits, dots and hyphens is expected here.')
  .meta({ description: 'In small letters, digits and hyphens.', examples: ['shift-change'] });

export const newTemplate = z.strictObject({ name: templateName, ...body }).meta({ id: 'NewTemplate' });
export const templateChange = z
  .strictObject(body)
  .meta({ id: 'TemplateChange', description: 'The whole new version. What is in flight keeps the one it has.' });

export const templateShape = z
  .strictObject({
    templateId: z.uuid(),
    name: templateName,
    version: z.int(),
    isBuiltIn: z.boolean().meta({
      description:
        'The service itself sends it: its words can be changed; its variables cannot, nor can it be deleted.',
    }),
    variables: z.record(z.string(), variableShape),
    languages: z.record(languageCode, words),
    createdAt: time,
    updatedAt: time,
  })
  .meta({ id: 'Template' });

export const templatePage = z
  .strictObject({ templates: z.array(templateShape), nextCursor })
  .meta({ id: 'TemplatePage' });

export const versionQuery = z.strictObject({
  version: z.coerce.number().int().min(1).max(1_000_000).optional().meta({ description: 'Default: the newest.' }),
});

export const previewRequest = z
  .strictObject({
    name: templateName.optional(),
    version: z.int().positive().optional(),
    draft: templateChange.optional().meta({ description: 'One that is not saved.' }),
    language: languageCode.default('en'),
    variables: z.record(z.string().max(60), z.union([z.string().max(MOST_CHARACTERS), z.number()])).default({}),
  })
  .meta({
    id: 'PreviewRequest',
    description: 'Exactly one of `name` and `draft`.',
    oneOf: [{ required: ['name'] }, { required: ['draft'] }],
  });

export const previewShape = z
  .strictObject({
    language: languageCode.meta({ description: 'The one it comes out in.' }),
    text: z.string().meta({ description: 'As an SMS.' }),
    encoding: z.enum(['gsm-7', 'ucs-2']),
    characters: z.int(),
    segments: z.int().meta({ description: 'Each is paid for.' }),
    speech: z.string().meta({ description: 'As a call says it.' }),
    subject: z.string().nullable(),
    html: z.string().meta({ description: 'As an e-mail shows it.' }),
  })
  .meta({ id: 'Preview' });
