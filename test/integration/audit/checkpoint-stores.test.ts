import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { checkpointName, type CheckpointStore } from '../../../domain/audit-checkpoint';
import { bucketOf, openCheckpointBucket } from '../../../providers/checkpoint-bucket';
import { openCheckpointDirectory } from '../../../providers/checkpoint-directory';
import { describeWithMoto, MOTO_CREDENTIALS, startMoto } from '../../moto';

interface Ground {
  store(): CheckpointStore;
  end(): Promise<void>;
}

async function directory(): Promise<Ground> {
  const dir = mkdtempSync(join(tmpdir(), 'kindline-checkpoints-'));
  return {
    store: () => openCheckpointDirectory(join(dir, 'deep', 'checkpoints')),
    end: async () => rmSync(dir, { recursive: true }),
  };
}

async function bucket(): Promise<Ground> {
  const moto = await startMoto();
  if (moto === null) throw new Error('there is no moto');
  Object.assign(process.env, MOTO_CREDENTIALS);
  const name = `checkpoints-${randomBytes(6).toString('hex')}`;
  const options = { endpoint: moto.url, region: 'us-east-1' };
  const s3 = new S3Client({ endpoint: moto.url, region: 'us-east-1', forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket: name }));
  const store = openCheckpointBucket(bucketOf(`s3://${name}/of/kindline`), options);
  return {
    store: () => store,
    end: async () => {
      s3.destroy();
      store.close();
      await moto.stop();
    },
  };
}

describe('checkpoints in a directory', () => {
  promises(directory);
});
describeWithMoto('checkpoints in a bucket', () => {
  promises(bucket);
});

/** What every store promises. */
function promises(open: () => Promise<Ground>): void {
  let ground: Ground;
  let store: CheckpointStore;
  beforeAll(async () => {
    ground = await open();
    store = ground.store();
  }, 300_000);
  afterAll(() => ground.end());

  const bytes = (text: string) => Buffer.from(`${text}\n`);
  const all = async () => {
    const found: string[] = [];
    for await (const { name, bytes: content } of store.all()) found.push(`${name} ${content.toString().trim()}`);
    return found;
  };

  it('begin empty', async () => {
    await expect(store.newest()).resolves.toBeNull();
    expect(await all()).toEqual([]);
  });

  it('are read back in their order, over folders, and the newest is found', async () => {
    const names = [998, 999, 1_000].map((sequence) => checkpointName({ sequence }));
    for (const name of names.toReversed()) await expect(store.add({ name, bytes: bytes(name) })).resolves.toBe(true);
    expect(await all()).toEqual(names.map((name) => `${name} ${name}`));
    const newest = await store.newest();
    expect(newest?.name).toBe(names[2]);
    expect(newest?.bytes).toEqual(bytes(names[2] ?? ''));
  });

  it('never writes over a checkpoint, also when many try at once', async () => {
    const name = checkpointName({ sequence: 1_001 });
    const tries = ['a', 'b', 'c', 'd', 'e', 'f'].map((text) => store.add({ name, bytes: bytes(text) }));
    const results = await Promise.all(tries);
    expect(results.filter((isFirst) => isFirst)).toHaveLength(1);
    const winner = ['a', 'b', 'c', 'd', 'e', 'f'][results.indexOf(true)];
    expect((await store.newest())?.bytes).toEqual(bytes(winner ?? ''));
  });

  it('are read in their order when there are more than are read at once', async () => {
    const names = Array.from({ length: 80 }, (_, n) => checkpointName({ sequence: 2_960 + n }));
    await Promise.all(names.toReversed().map((name) => store.add({ name, bytes: bytes(name) })));
    expect((await all()).slice(-80)).toEqual(names.map((name) => `${name} ${name}`));
    expect((await store.newest())?.name).toBe('000000003/000000003039.json');
  });
}

describeWithMoto('a bucket', () => {
  it('says so when it is not there', async () => {
    const moto = await startMoto();
    const store = openCheckpointBucket(bucketOf('s3://nobodys-bucket'), {
      endpoint: moto?.url ?? null,
      region: 'us-east-1',
    });
    await expect(store.newest()).rejects.toThrow();
    await expect(store.add({ name: checkpointName({ sequence: 12 }), bytes: Buffer.from('x') })).rejects.toThrow();
    store.close();
    await moto?.stop();
  }, 300_000);
});

describe('a bucket that takes requests and never answers', () => {
  it('fails within its time, so that the next seal may try again', async () => {
    Object.assign(process.env, MOTO_CREDENTIALS);
    const silent = createServer((socket) => socket.on('error', () => undefined).resume());
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const endpoint = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const store = openCheckpointBucket(bucketOf('s3://somebodys'), { endpoint, region: 'us-east-1', timeoutMs: 400 });
    await expect(store.newest()).rejects.toMatchObject({ name: 'TimeoutError' });
    store.close();
    silent.close();
  });
});

describe('a directory', () => {
  it('shows its files to nobody else, and leaves no half-written one', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'kindline-checkpoints-'));
    const store = openCheckpointDirectory(dir);
    await store.add({ name: '000000000/000000000001.json', bytes: Buffer.from('x') });
    await store.add({ name: '000000000/000000000001.json', bytes: Buffer.from('y') });
    expect(readdirSync(join(dir, '000000000'))).toEqual(['000000000001.json']);
    expect(statSync(join(dir, '000000000', '000000000001.json')).mode & 0o777).toBe(0o600);
    expect(statSync(join(dir, '000000000')).mode & 0o777).toBe(0o700);
    rmSync(dir, { recursive: true });
  });
});
