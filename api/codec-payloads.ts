import type { Payload } from '@temporalio/common';
import { z } from 'zod';
import { MOST_PAYLOADS } from './limits';
import { Problem } from './problems';

/** Protobuf's JSON of `temporal.api.common.v1.Payloads`: bytes as base64. */
const wirePayloads = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string().max(100), z.base64()).optional(), data: z.base64().optional() }))
    .min(1)
    .max(MOST_PAYLOADS),
});

/** @throws {Problem} `invalid-body`, without places: a place could be named by a name of theirs */
export function payloadsIn(body: unknown): Payload[] {
  const read = wirePayloads.safeParse(body);
  if (!read.success) throw new Problem('invalid-body');
  return read.data.payloads.map(({ metadata = {}, data = '' }) => ({
    metadata: Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, Buffer.from(value, 'base64')])),
    data: Buffer.from(data, 'base64'),
  }));
}

export function asWire(payloads: readonly Payload[]): {
  payloads: { metadata: Record<string, string>; data: string }[];
} {
  return {
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value)])),
      data: base64(data ?? new Uint8Array()),
    })),
  };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
