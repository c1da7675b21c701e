/** A batch of a thousand and one of ten thousand: whether memory grows with the number of recipients. */
import { z } from 'zod';
import { progress } from '../project';
import type { BenchGround } from './ground';
import type { BenchGroup } from './group';
import { type BenchRow, rowOf } from './rows';

/** Of the United States, each with a hundred numbers that are nobody's: +1 NPA 555 01XX. Where ours are is left out. */
const AREA_CODES = (
  '201 202 203 205 206 207 208 209 210 212 213 214 215 216 217 218 219 224 225 228 229 231 234 239 240 248 251 252 253 ' +
  '254 256 260 262 267 269 270 276 281 301 302 303 304 305 307 308 309 310 312 313 314 315 316 317 318 319 320 321 323 ' +
  '325 330 334 336 337 339 347 351 352 360 361 386 401 402 404 405 406 407 408 409 410 412 413 414 417 419 423 424 ' +
  '425 432 434 435 440 443 458 469 470 478 479 480 484 501 502 503 504 505 507 508 509 510 512'
).split(' ');

const PATIENCE_MS = 45 * 60_000;
const LOOK_EVERY_MS = 500;
/** Of the table over time. */
const LINES = 12;
const token = z.object({ access_token: z.string() });
const batch = z.object({ batchId: z.uuid(), state: z.string(), recipients: z.object({ ready: z.int() }) });

export const bulkGroup: BenchGroup = {
  name: 'bulk',
  run: {
    needs: 'ground',
    async measure({ isQuick }, ground): Promise<BenchRow[]> {
      const [few, many] = isQuick ? [10, 20] : [1_000, 10_000];
      const first = await sendAll(ground, few);
      const after = ground.memory();
      const samples = await sendAll(ground, many);
      const seconds = samples.at(-1)?.seconds ?? Number.NaN;
      const later = ground.memory();
      progress(tableOverTime(samples));
      // With a handful, what a process takes in its first minutes is all there is to see.
      const target = isQuick ? {} : { target: { of: 'ratio', is: '≤', than: 1.2 } as const };
      return [
        rowOf({
          name: `memory of the worker after a batch of ${many}, against ${few}`,
          unit: 'MB',
          ours: later.worker,
          baseline: after.worker,
          ...target,
        }),
        rowOf({
          name: `memory of the API after a batch of ${many}, against ${few}`,
          unit: 'MB',
          ours: later.api,
          baseline: after.api,
          ...target,
        }),
        ...(['worker', 'api'] as const).map((of) =>
          rowOf({
            name: `the most memory of the ${of === 'api' ? 'API' : of} during a batch of ${many}, against ${few}`,
            unit: 'MB',
            ours: peakOf(samples, of),
            baseline: peakOf(first, of),
          }),
        ),
        rowOf({ name: 'messages of a batch, upload to last receipt', unit: '1/s', ours: many / seconds }),
      ];
    },
  },
};

/** Resident memory of both processes, MB, at a moment of a batch. */
interface Sample {
  /** Since the upload began. */
  readonly seconds: number;
  readonly worker: number;
  readonly api: number;
}

const peakOf = (samples: readonly Sample[], of: 'worker' | 'api') => Math.max(...samples.map((sample) => sample[of]));

/** A dozen moments, evenly spread: whether memory grows, and when. */
function tableOverTime(samples: readonly Sample[]): string {
  const step = Math.max(1, Math.floor(samples.length / LINES));
  const shown = samples.filter((_, at) => at % step === 0 || at === samples.length - 1);
  const lines = shown.map(({ seconds, worker, api }) =>
    [seconds, worker, api].map((figure) => figure.toFixed(0).padStart(8)).join(''),
  );
  return ['Memory during the larger batch:', '       s  worker     API (MB)', ...lines].join('\n');
}

/** @returns memory over the whole batch @throws Error when it does not come to its end */
async function sendAll(ground: BenchGround, count: number): Promise<Sample[]> {
  const began = performance.now();
  const samples: Sample[] = [];
  const answer = await fetch(`${ground.stack.services.simulatorUrl}/oidc/token`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ role: 'staff', subject: 'bench' }),
  });
  const authorization = `Bearer ${token.parse(await answer.json()).access_token}`;
  const lines = Array.from({ length: count }, (_, n) => numberOf(n));
  // Of class safety: a bench at night would otherwise measure how long people sleep.
  const query = 'template=opted-in&messageClass=safety&start=true';
  const uploaded = await fetch(`${ground.apiUrl}/messages/bulk?${query}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'text/csv' },
    body: `phone\n${lines.join('\n')}\n`,
  });
  if (uploaded.status !== 201) throw new Error(`the upload was answered with ${uploaded.status}`);
  const made = batch.parse(await uploaded.json());
  if (made.recipients.ready !== count) throw new Error(`${made.recipients.ready} of ${count} rows are ready`);
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await fetch(`${ground.apiUrl}/messages/bulk/${made.batchId}`, { headers: { authorization } });
    samples.push({ seconds: (performance.now() - began) / 1_000, ...ground.memory() });
    if (batch.parse(await seen.json()).state === 'completed') return samples;
    if (Date.now() > deadline) throw new Error('a batch that should have ended is still being sent');
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

function numberOf(n: number): string {
  const area = AREA_CODES[Math.floor(n / 100) % AREA_CODES.length] ?? '';
  return `+1${area}555${String(100 + (n % 100)).padStart(4, '0')}`;
}
