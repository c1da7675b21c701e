/** What happens while KMS is down, slow, full or closed to us. */
import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { inspect } from 'node:util';
import { inTransaction } from '../../../db/pool';
import type { Db } from '../../../db/query';
import { createSubject } from '../../../db/subjects';
import type { Vault } from '../../../db/vault-records';
import { SealedValue } from '../../../domain/sealed';
import type { KeyContext, KeyRing } from '../../../vault/key-ring';
import { describeWithMoto, type Moto, MOTO_CREDENTIALS } from '../../moto';
import { createTestDatabase, type TestDatabase } from '../../postgres';
import { eventually, vaultOver } from '../db/people';
import { type Gate, kmsRing, makeRootKey, startGate, startKms } from './kms';

const NUMBER = '+14155550142';
const UNAVAILABLE = { name: 'KeyRingError', code: 'key-ring-unavailable' };
const context = (): KeyContext => ({ subject: randomUUID(), purpose: 'subject-key' });

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

async function timed(work: Promise<unknown>): Promise<number> {
  const began = performance.now();
  await failureOf(work);
  return performance.now() - began;
}

describeWithMoto('while KMS is down', () => {
  let moto: Moto;
  let gate: Gate;
  let arn: string;
  let database: TestDatabase;
  beforeAll(async () => {
    moto = await startKms();
    arn = await makeRootKey(moto.url);
    gate = await startGate(moto.port);
    database = await createTestDatabase();
  });
  afterEach(() => gate.set('open'));
  afterAll(async () => {
    await database.drop();
    await gate.close();
    await moto.stop();
  });

  const person = () => createSubject(database.app, 'system');
  const seal = (vault: Vault, subjectId: string, tx?: Db) =>
    vault.seal({ subjectId, kind: 'phone', value: SealedValue.of('phone', NUMBER) }, tx);
  const rows = async (subjectId: string) => {
    const sql = `SELECT (SELECT count(*) FROM subject_keys WHERE subject_id = $1)::int AS keys,
                        (SELECT count(*) FROM vault_records WHERE subject_id = $1)::int AS records`;
    return (await database.app.query(sql, [subjectId])).rows[0];
  };

  it('who was read a moment ago is still read and sealed for; nobody new is sealed, and nothing is half written', async () => {
    const vault = vaultOver(database.app, kmsRing(gate.url, arn, { timeoutMs: 5_000 }));
    try {
      await eventually(() => vault.listening());
      const [warm, cold, unknown] = [await person(), await person(), await person()];
      const recordId = await seal(vault, warm);
      const other = vaultOver(database.app, kmsRing(moto.url, arn));
      const coldRecord = await seal(other, cold);
      await other.close();

      gate.set('closed');
      const reveal = (id: string) => vault.reveal({ recordId: id, purpose: 'dial', actor: 'system' });
      expect((await reveal(recordId)).expose()).toBe(NUMBER);
      const another = await inTransaction(database.app, (tx) => seal(vault, warm, tx));
      expect((await reveal(another)).expose()).toBe(NUMBER);
      await expect(reveal(coldRecord)).rejects.toMatchObject(UNAVAILABLE);
      await expect(seal(vault, unknown)).rejects.toMatchObject(UNAVAILABLE);
      expect(await rows(unknown)).toEqual({ keys: 0, records: 0 });

      gate.set('open');
      await eventually(async () => (await failureOf(seal(vault, unknown))) === null);
      expect(await rows(unknown)).toMatchObject({ keys: 1 });
      expect((await reveal(coldRecord)).expose()).toBe(NUMBER);
    } finally {
      await vault.close();
    }
  });

  it('one operation ends within its time though nobody answers', async () => {
    gate.set('silent');
    const ring = kmsRing(gate.url, arn, { timeoutMs: 500 });
    const took = await timed(ring.generate(context()));
    expect(took).toBeGreaterThan(400);
    expect(took).toBeLessThan(20_000);
  });

  it('after five outages in a row nobody waits and nobody is asked, until it is tried again', async () => {
    gate.set('silent');
    const ring = kmsRing(gate.url, arn, { timeoutMs: 2_000 });
    await Promise.all(Array.from({ length: 5 }, () => failureOf(ring.generate(context()))));
    const before = gate.connections;
    const times = await Promise.all(Array.from({ length: 100 }, () => timed(ring.generate(context()))));
    expect(Math.max(...times)).toBeLessThan(2_000);
    expect(gate.connections).toBe(before);
    expect(await failureOf(ring.generate(context()))).toMatchObject({ ...UNAVAILABLE, class: 'CircuitOpen' });
    gate.set('open');
    await eventually(async () => (await failureOf(ring.generate(context()))) === null);
  });

  it('its process ended and another one took its place: the same key ring asks that one', async () => {
    const second = await startKms();
    const key = await makeRootKey(second.url);
    const ring: KeyRing = kmsRing(second.url, key, { timeoutMs: 10_000 });
    await ring.describe();
    await second.stop();
    await expect(ring.describe()).rejects.toMatchObject(UNAVAILABLE);
    const third = await startKms(second.port);
    try {
      // An empty account: it answers, and says that it has no such key.
      await expect(ring.describe()).rejects.toMatchObject({ code: 'key-ring-refused', class: 'NotFoundException' });
    } finally {
      await third.stop();
    }
  });

  it('a root key that is disabled or gone is no outage, and never looks like one', async () => {
    const missing = arn.replace(/[^/]+$/, randomUUID());
    const ring = kmsRing(moto.url, missing);
    await expect(ring.describe()).rejects.toMatchObject({ code: 'key-ring-refused' });
    await expect(ring.generate(context())).rejects.toMatchObject({ code: 'key-ring-refused' });
  });
});

describe('what KMS answers', () => {
  let server: Server;
  let answers: { status: number; body: object }[] = [];
  let requests = 0;
  let url = '';
  beforeAll(async () => {
    Object.assign(process.env, MOTO_CREDENTIALS);
    server = createServer((_req, res) => {
      requests += 1;
      const { status, body } = answers.shift() ?? { status: 500, body: { __type: 'KMSInternalException' } };
      res.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));
  beforeEach(() => (requests = 0));

  const ARN = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
  const key = Buffer.alloc(32, 7).toString('base64');
  const made = { status: 200, body: { KeyId: ARN, Plaintext: key, CiphertextBlob: 'AQID' } };

  it('is asked again when it fails or is too busy, three times at most', async () => {
    const ring = kmsRing(url, ARN);
    answers = [{ status: 500, body: { __type: 'KMSInternalException' } }, made];
    expect((await ring.generate(context())).plaintext.equals(Buffer.alloc(32, 7))).toBe(true);
    answers = [{ status: 400, body: { __type: 'ThrottlingException' } }, made];
    await ring.generate(context());
    requests = 0;
    answers = [];
    await expect(ring.generate(context())).rejects.toMatchObject({ ...UNAVAILABLE, class: 'KMSInternalException' });
    expect(requests).toBe(3);
  });

  it.each([
    [400, 'AccessDeniedException', 'key-ring-refused'],
    [400, 'DisabledException', 'key-ring-refused'],
    [400, 'KMSInvalidStateException', 'key-ring-refused'],
    [400, 'NotFoundException', 'key-ring-refused'],
    [400, 'InvalidCiphertextException', 'key-not-authentic'],
    [400, 'IncorrectKeyException', 'not-our-key'],
    [500, 'KeyUnavailableException', 'key-ring-unavailable'],
    [503, 'DependencyTimeoutException', 'key-ring-unavailable'],
  ])('%d %s is told as %s, without a word of its text', async (status, name, code) => {
    const who = context();
    const message = `User: arn:aws:iam::111122223333:role/secret is not authorized for ${ARN} ${who.subject}`;
    answers = Array.from({ length: 3 }, () => ({ status, body: { __type: name, message } }));
    const wrapped = { ring: 'kms', rootKeyId: ARN, bytes: Buffer.from('AQID', 'base64') } as const;
    const error = await failureOf(kmsRing(url, ARN).unwrap(wrapped, who));
    expect(error).toMatchObject({ name: 'KeyRingError', code, class: name, operation: 'Decrypt', status });
    const everything = inspect(error, { depth: 9, showHidden: true });
    for (const secret of ['arn:aws', 'secret', who.subject]) expect(everything).not.toContain(secret);
  });

  it('is not believed when it used another root key, or gives something that is no key', async () => {
    const wrapped = { ring: 'kms', rootKeyId: ARN, bytes: Buffer.from('AQID', 'base64') } as const;
    const ring = kmsRing(url, ARN);
    answers = [{ status: 200, body: { KeyId: `${ARN}0`, Plaintext: key } }];
    await expect(ring.unwrap(wrapped, context())).rejects.toMatchObject({ code: 'not-our-key' });
    answers = [{ status: 200, body: { KeyId: ARN, Plaintext: 'AQID' } }];
    await expect(ring.unwrap(wrapped, context())).rejects.toMatchObject({ code: 'key-not-authentic' });
    answers = [{ status: 200, body: { KeyId: `${ARN}0`, SourceKeyId: ARN, CiphertextBlob: 'AQID' } }];
    await expect(ring.rewrap(wrapped, context())).rejects.toMatchObject({ code: 'not-our-key' });
  });

  it('is not believed when a key comes without the bytes that are to be kept', async () => {
    const wrapped = { ring: 'kms', rootKeyId: ARN, bytes: Buffer.from('AQID', 'base64') } as const;
    const ring = kmsRing(url, ARN);
    for (const blob of [{}, { CiphertextBlob: '' }, { CiphertextBlob: Buffer.alloc(7_000).toString('base64') }]) {
      answers = [{ status: 200, body: { KeyId: ARN, Plaintext: key, ...blob } }];
      await expect(ring.generate(context())).rejects.toMatchObject({ code: 'key-not-authentic' });
      answers = [{ status: 200, body: { KeyId: ARN, SourceKeyId: ARN, ...blob } }];
      await expect(ring.rewrap(wrapped, context())).rejects.toMatchObject({ code: 'key-not-authentic' });
    }
  });
});
