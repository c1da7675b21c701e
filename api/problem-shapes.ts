import { z } from 'zod';
import { helplines } from './shared-shapes';

/** RFC 9457, with what somebody in need gets besides. */
export const problemShape = z
  .strictObject({
    type: z.url().meta({ description: 'Leads to an explanation.' }),
    title: z.string(),
    status: z.int(),
    code: z.string().meta({ description: 'Stable: compare this one.' }),
    hint: z.string().meta({ description: 'What helps.' }),
    instance: z
      .string()
      .regex(/^urn:uuid:[0-9a-f-]{36}$/)
      .meta({ description: 'Names this request; also in X-Request-Id.' }),
    errors: z
      .array(
        z.strictObject({
          pointer: z.string().meta({ description: 'JSON Pointer into the body, or the name of a parameter.' }),
          detail: z.string(),
        }),
      )
      .optional()
      .meta({ description: 'The places that are wrong; never what stood there.' }),
    helplines,
  })
  .meta({ id: 'Problem' });

export const problemEntry = z
  .strictObject({ type: z.url(), code: z.string(), status: z.int(), title: z.string(), hint: z.string() })
  .meta({ id: 'ProblemEntry' });

export const problemCatalogue = z.strictObject({ problems: z.array(problemEntry) }).meta({ id: 'ProblemCatalogue' });
