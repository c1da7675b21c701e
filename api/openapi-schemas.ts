import { z } from 'zod';
import { OPERATIONS, type Operation } from './openapi-operations';
import { problemShape } from './problem-shapes';

/** A JSON value of the document. */
export type Json = { readonly [key: string]: unknown };

/** What zod writes beside a format is the same rule once more, and longer than all the rest. */
const FORMATS_THAT_SAY_IT = ['date-time', 'date', 'uuid', 'uri'];

/**
 * JSON Schema (2020-12) of the shapes that the routes validate with and answer with. A shape with an id becomes a
 * component, and is named wherever it occurs.
 */
export interface Schemas {
  readonly components: Readonly<Record<string, Json>>;
  /** What a client may send. */
  readonly input: (schema: z.ZodType) => Json;
  /** What we answer. */
  readonly output: (schema: z.ZodType) => Json;
}

/** @throws {Error} when a shape means one thing where it is sent and another where it is answered */
export function schemasOfOperations(): Schemas {
  const operations: readonly Operation[] = Object.values(OPERATIONS);
  const sent = operations.flatMap(({ body, query }) => [body?.schema, query]).filter((one) => one !== undefined);
  const answers = operations.flatMap((one) => Object.values(one.answers));
  const answered = answers.flatMap(({ content }) => Object.values(content ?? {})).filter((one) => one !== null);
  const input = converted(sent, 'input');
  const output = converted([...answered, problemShape], 'output');
  for (const [name, schema] of Object.entries(input.components)) {
    const other = output.components[name];
    if (other !== undefined && JSON.stringify(other) !== JSON.stringify(schema)) {
      throw new Error(`${name} is one shape in requests and another in answers`);
    }
  }
  const components = Object.entries({ ...input.components, ...output.components });
  return {
    components: Object.fromEntries(components.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    input: input.of,
    output: output.of,
  };
}

/** All at once, so that what they share is named once. */
function converted(schemas: readonly z.ZodType[], io: 'input' | 'output') {
  const all = z.toJSONSchema(z.tuple([z.unknown(), ...schemas]), {
    target: 'draft-2020-12',
    io,
    override: ({ jsonSchema }) => {
      if (FORMATS_THAT_SAY_IT.includes(jsonSchema.format ?? '')) delete jsonSchema.pattern;
    },
  });
  const named: Json = JSON.parse(JSON.stringify(all).replaceAll('"#/$defs/', '"#/components/schemas/'));
  const bySchema = new Map(schemas.map((schema, n) => [schema, part(named, 'prefixItems', n + 1)]));
  return {
    components: Object.fromEntries(Object.keys(all.$defs ?? {}).map((name) => [name, part(named, '$defs', name)])),
    of(schema: z.ZodType): Json {
      const found = bySchema.get(schema);
      if (found === undefined) throw new Error('a shape that belongs to no operation');
      return found;
    },
  };
}

function part(whole: Json, key: string, name: string | number): Json {
  const list = whole[key];
  const found: unknown = typeof list === 'object' && list !== null ? Reflect.get(list, name) : undefined;
  if (typeof found !== 'object' || found === null) throw new Error(`the schema has no ${key}/${name}`);
  return { ...found };
}
