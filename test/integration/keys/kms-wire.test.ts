/**
 * The format of a key that KMS has wrapped is KMS's own; what is ours is how we ask for it. Were one word of the
 * encryption context ever different from that of the day it was wrapped, no key would open again.
 */
import { createServer, type Server } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { KeyContext, KeyRing } from '../../../vault/key-ring';
import { MOTO_CREDENTIALS } from '../../moto';
import { kmsRing } from './kms';

interface Exchange {
  readonly method: 'generate' | 'unwrap' | 'rewrap';
  readonly context: KeyContext;
  readonly target: string;
  readonly request: object;
  readonly answer: object;
}

const frozen: { rootKeyId: string; previousRootKeyId: string; wrapped: string; key: string; exchanges: Exchange[] } =
  JSON.parse(readFileSync(join(__dirname, 'fixtures/kms-requests-1.json'), 'utf8'));

describe('what KMS was asked when a key was wrapped', () => {
  let server: Server;
  let ring: KeyRing;
  let answer: object = {};
  let asked: { target: unknown; request: unknown }[] = [];
  beforeAll(async () => {
    Object.assign(process.env, MOTO_CREDENTIALS);
    server = createServer((req, res) => {
      let body = '';
      req.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
      req.on('end', () => {
        asked.push({ target: req.headers['x-amz-target'], request: JSON.parse(body) });
        res.writeHead(200, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const previousKeyId = frozen.previousRootKeyId;
    ring = kmsRing(`http://127.0.0.1:${port}`, frozen.rootKeyId, { previousKeyId });
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const bytes = Buffer.from(frozen.wrapped, 'base64');
  const use = {
    generate: async (context: KeyContext) => (await ring.generate(context)).plaintext.toString('hex'),
    unwrap: async (context: KeyContext) => {
      const wrapped = { ring: 'kms', rootKeyId: frozen.rootKeyId, bytes } as const;
      return (await ring.unwrap(wrapped, context)).toString('hex');
    },
    rewrap: async (context: KeyContext) => {
      const wrapped = { ring: 'kms', rootKeyId: frozen.previousRootKeyId, bytes } as const;
      return (await ring.rewrap(wrapped, context)).bytes.toString('base64');
    },
  };

  it.each(frozen.exchanges.map((each) => [each.method, each.context.subject, each] as const))(
    'is asked in the same words today: %s for %s',
    async (method, _subject, exchange) => {
      asked = [];
      answer = exchange.answer;
      expect(await use[method](exchange.context)).toBe(method === 'rewrap' ? frozen.wrapped : frozen.key);
      expect(asked).toEqual([{ target: exchange.target, request: exchange.request }]);
    },
  );
});
