import { randomBytes } from 'node:crypto';
import type { Payload } from '@temporalio/common';
import fc from 'fast-check';
import { createPayloadCodec, PayloadCodecError } from '../../../temporal/payload-codec';

const text = (value: string): Payload => ({
  metadata: { encoding: Buffer.from('json/plain') },
  data: Buffer.from(JSON.stringify(value)),
});
const key = (version: number) => ({ version, key: randomBytes(32) });
const plain = ({ metadata, data }: Payload) => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([k, v]) => [k, Buffer.from(v).toString('hex')])),
  data: Buffer.from(data ?? []).toString('hex'),
});

describe('the payload codec', () => {
  const first = key(1);
  const codec = createPayloadCodec([first]);

  it('gives back any payload as it was, metadata included', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.dictionary(fc.string({ minLength: 1 }), fc.uint8Array()).filter((d) => !('__proto__' in d)),
        fc.uint8Array({ maxLength: 2000 }),
        async (metadata, data) => {
          const [back] = await codec.decode(await codec.encode([{ metadata, data }]));
          expect(plain(back!)).toEqual(plain({ metadata, data }));
        },
      ),
    );
  });

  it('takes nothing for nothing, as a workflow without a result gives it', async () => {
    const metadata = { encoding: Buffer.from('binary/null') };
    for (const data of [[], undefined, new Uint8Array()]) {
      const [back] = await codec.decode(await codec.encode([{ metadata, data } as unknown as Payload]));
      expect(plain(back!)).toEqual({ metadata: { encoding: metadata.encoding.toString('hex') }, data: '' });
    }
  });

  it('leaves nothing of a payload readable', async () => {
    const [sealed] = await codec.encode([text('call the number at once')]);
    const seen = Buffer.concat([...Object.values(sealed!.metadata!), sealed!.data!]).toString('latin1');
    expect(seen).not.toContain('number');
    expect(seen).not.toContain('json');
  });

  it('never writes the same payload the same way twice', async () => {
    const [a, b] = await codec.encode([text('same'), text('same')]);
    expect(Buffer.from(a!.data!).equals(b!.data!)).toBe(false);
  });

  it('refuses a payload with any bit changed', async () => {
    const [sealed] = await codec.encode([text('hello')]);
    for (let i = 0; i < sealed!.data!.length; i += 1) {
      const data = Buffer.from(sealed!.data!);
      data[i] = (data[i] ?? 0) ^ 1;
      await expect(codec.decode([{ ...sealed!, data }])).rejects.toThrow(PayloadCodecError);
    }
  });

  it('refuses a payload that was never encrypted', async () => {
    await expect(codec.decode([text('from somebody else')])).rejects.toMatchObject({ code: 'not-encrypted' });
    await expect(codec.decode([{}])).rejects.toMatchObject({ code: 'not-encrypted' });
  });

  it('refuses a payload that is too short to be one of ours', async () => {
    const [sealed] = await codec.encode([text('hello')]);
    await expect(codec.decode([{ ...sealed!, data: Buffer.alloc(27) }])).rejects.toMatchObject({ code: 'malformed' });
  });

  it('reads what an older key wrote and writes with the newest, in whatever order keys are given', async () => {
    const second = key(2);
    const rotated = createPayloadCodec([first, second]);
    const [old] = await codec.encode([text('old')]);
    const [young] = await rotated.encode([text('young')]);
    expect(Buffer.from(young!.metadata!['encryption-key-id']!).toString()).toBe('v2');
    expect((await rotated.decode([old!, young!])).map(plain)).toEqual([text('old'), text('young')].map(plain));
    await expect(codec.decode([young!])).rejects.toMatchObject({ code: 'unknown-key' });
  });

  it('does not open a payload under the name of another key', async () => {
    const sameKey = createPayloadCodec([first, { version: 7, key: first.key }]);
    const [sealed] = await codec.encode([text('hello')]);
    const renamed = { ...sealed!, metadata: { ...sealed!.metadata, 'encryption-key-id': Buffer.from('v7') } };
    await expect(sameKey.decode([renamed])).rejects.toMatchObject({ code: 'not-authentic' });
  });

  it('does not start without a key', () => {
    expect(() => createPayloadCodec([])).toThrow(RangeError);
  });
});
