/** `docker-compose.yml` as Compose reads it: anchors merged, variables filled in from an env file. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

export const ROOT = join(__dirname, '..', '..', '..');
export const EXAMPLE_ENV = join(ROOT, 'deploy', 'production.env.example');

const secretOf = z.union([
  z.string().transform((source) => ({ source, target: source })),
  z.strictObject({ source: z.string(), target: z.string() }),
]);
const service = z.strictObject({
  image: z.string(),
  build: z.strictObject({ context: z.string(), dockerfile: z.string() }).optional(),
  user: z.string().optional(),
  init: z.boolean().optional(),
  restart: z.enum(['no', 'unless-stopped']),
  stop_grace_period: z.string().optional(),
  shm_size: z.string().optional(),
  entrypoint: z.array(z.string()).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string().nullable()).default({}),
  secrets: z.array(secretOf).default([]),
  volumes: z.array(z.string()).default([]),
  tmpfs: z.array(z.string()),
  networks: z.array(z.string()),
  ports: z.array(z.string()).default([]),
  depends_on: z.record(z.string(), z.object({ condition: z.string() })).default({}),
  healthcheck: z.object({ test: z.array(z.string()).optional(), disable: z.boolean().optional() }).optional(),
  read_only: z.literal(true),
  cap_drop: z.tuple([z.literal('ALL')]),
  security_opt: z.tuple([z.literal('no-new-privileges:true')]),
  logging: z.object({ driver: z.string(), options: z.record(z.string(), z.string()) }),
});
const file = z.object({
  services: z.record(z.string(), service),
  networks: z.record(z.string(), z.object({ internal: z.boolean().optional() })),
  volumes: z.record(z.string(), z.object({})),
  secrets: z.record(z.string(), z.object({ file: z.string() })),
});

export type Service = z.output<typeof service>;

export const composeText = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');

/** `NAME=value` lines; what is commented out is not there. */
export function envFile(text = readFileSync(EXAMPLE_ENV, 'utf8')): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

/** Every service must have the form above, hardening included. @throws ZodError naming what has not */
export function compose(env = envFile()): z.output<typeof file> {
  return file.parse(filled(parse(composeText, { merge: true }), env));
}

/** After parsing, as Compose does: what is filled in stays text. */
function filled(value: unknown, env: Record<string, string>): unknown {
  if (typeof value === 'string') {
    return value
      .replaceAll(/\$\{(\w+)(?:(:[?-])([^}]*))?\}/g, (_whole, name: string, kind?: string, rest = '') =>
        (env[name] ?? '') === '' && kind === ':-' ? rest : (env[name] ?? ''),
      )
      .replaceAll('$$', '$');
  }
  if (Array.isArray(value)) return value.map((entry) => filled(entry, env));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, filled(entry, env)]));
}

/** The command by which Compose asks a service whether it is well; the image's own where the service has none. */
export function healthcheckOf(name: string): string[] {
  const own = compose().services[name]?.healthcheck?.test;
  const dockerfile = readFileSync(join(ROOT, 'deploy', 'Dockerfile'), 'utf8');
  const [, ofImage = '[]'] = /^HEALTHCHECK[^[]+CMD (\[.*\])$/m.exec(dockerfile) ?? [];
  return own ?? ['CMD', ...z.array(z.string()).parse(JSON.parse(ofImage))];
}

/** Variables without which Compose stops. */
export const REQUIRED = [...new Set([...composeText.matchAll(/\$\{(\w+):\?/g)].map(([, name = '']) => name))];

/** Seconds of `90s` or `2m`. */
export function secondsOf(duration: string): number {
  const [, count = 'NaN', unit = ''] = /^(\d+)([sm])$/.exec(duration) ?? [];
  return Number(count) * (unit === 'm' ? 60 : 1);
}
