import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './compose-file';

const dockerfile = readFileSync(join(ROOT, 'deploy', 'Dockerfile'), 'utf8');
const instructions = dockerfile
  .replaceAll(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => /^[A-Z]/.test(line));
const shipped = instructions.slice(instructions.findLastIndex((line) => line.startsWith('FROM')));

describe('the image', () => {
  it('is built from one pinned Node 24 and nothing else', () => {
    expect(instructions[0]).toMatch(/^ARG NODE=node:24\.\d+\.\d+-bookworm-slim$/);
    const bases = instructions.filter((line) => line.startsWith('FROM')).map((line) => line.split(' ')[1]);
    expect(new Set(bases)).toEqual(new Set(['$'.concat('{NODE}')]));
  });

  it('installs exactly what the lock file says, and lets no package run a script', () => {
    const installs = instructions.filter((line) => /npm (ci|install)/.test(line));
    expect(installs).toHaveLength(2);
    for (const line of installs) expect(line).toMatch(/npm ci --(include|omit)=dev --ignore-scripts/);
  });

  it('ships compiled files and packages that run, not the project', () => {
    const copies = shipped.filter((line) => /^(COPY|ADD)/.test(line));
    expect(copies).toEqual([
      'COPY --from=packages /app/node_modules ./node_modules',
      'COPY --from=build /app/dist ./dist',
      'COPY package.json ./',
    ]);
  });

  it('runs as somebody who can change none of it', () => {
    expect(shipped.findLast((line) => line.startsWith('USER'))).toBe('USER node');
    expect(shipped.findIndex((line) => line.startsWith('USER'))).toBeGreaterThan(
      shipped.findLastIndex((line) => /^(COPY|RUN)/.test(line)),
    );
    expect(shipped.join('\n')).not.toMatch(/--chown/);
  });

  it('starts node itself, which gets the signals, and says how to see whether it lives', () => {
    expect(shipped.at(-1)).toMatch(/^CMD \["node", /);
    expect(shipped.some((line) => line.startsWith('HEALTHCHECK') && line.includes('/health'))).toBe(true);
  });

  it('has no secret: none is an argument or a variable of its build, and none can be copied', () => {
    expect(instructions.filter((line) => /^(ARG|ENV)/.test(line))).toEqual([
      instructions[0],
      'ENV NODE_ENV=production',
    ]);
    const [first, ...allowed] = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(first).toBe('*');
    for (const line of allowed) {
      expect(line).toMatch(/^![\w.-]+$/);
      expect(existsSync(join(ROOT, line.slice(1)))).toBe(true);
    }
    expect(allowed).not.toContain('!.env');
    expect(allowed).not.toContain('!.kindline');
    expect(allowed).not.toContain('!deploy');
  });

  it('has every room that is compiled', () => {
    const rooms =
      /const ROOMS = \[([^\]]+)\]/.exec(readFileSync(join(ROOT, 'scripts', 'build.mjs'), 'utf8'))?.[1] ?? '';
    const named = [...rooms.matchAll(/'(\w+)'/g)].map(([, room]) => `!${room}`);
    expect(named.length).toBeGreaterThan(10);
    expect(readFileSync(join(ROOT, '.dockerignore'), 'utf8').split('\n')).toEqual(expect.arrayContaining(named));
  });
});
