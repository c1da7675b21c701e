/** KMS as the suites use it: moto, keys in it, and a gate in front by which it goes away and comes back. */
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { connect, createServer, type Socket } from 'node:net';
import { createKmsKeyRing, type KmsKeyRingOptions } from '../../../providers/kms-key-ring';
import type { KeyRing } from '../../../vault/key-ring';
import { type Moto, MOTO_CREDENTIALS, startMoto } from '../../moto';

export async function startKms(port?: number): Promise<Moto> {
  // As on any machine: the SDK finds credentials in the environment of the process.
  Object.assign(process.env, MOTO_CREDENTIALS);
  const moto = await startMoto(port === undefined ? {} : { port });
  if (moto === null) throw new Error('describeWithMoto skips this suite where there is no moto');
  return moto;
}

/** @returns the ARN of a new symmetric key */
export async function makeRootKey(url: string): Promise<string> {
  const client = new KMSClient({ endpoint: url, region: MOTO_CREDENTIALS.AWS_REGION });
  try {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({ KeySpec: 'SYMMETRIC_DEFAULT' }));
    return KeyMetadata?.Arn ?? '';
  } finally {
    client.destroy();
  }
}

export function kmsRing(url: string, keyId: string, more: Partial<KmsKeyRingOptions> = {}): KeyRing {
  const region = MOTO_CREDENTIALS.AWS_REGION;
  return createKmsKeyRing({ keyId, previousKeyId: null, region, endpoint: url, timeoutMs: 30_000, ...more });
}

export interface Gate {
  readonly url: string;
  /** Connections that came, whatever became of them. */
  readonly connections: number;
  /** `open` passes on, `closed` cuts off at once, `silent` takes everything and never answers. */
  set(state: 'open' | 'closed' | 'silent'): void;
  close(): Promise<void>;
}

/** A door in front of a port of this machine. A change cuts the connections that are there. */
export async function startGate(port: number): Promise<Gate> {
  let state: 'open' | 'closed' | 'silent' = 'open';
  let connections = 0;
  const sockets = new Set<Socket>();
  const hold = (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((socket) => {
    connections += 1;
    hold(socket);
    if (state === 'closed') socket.destroy();
    if (state === 'silent') socket.resume();
    if (state !== 'open') return;
    const inner = connect(port, '127.0.0.1');
    hold(inner);
    socket.pipe(inner).pipe(socket);
    socket.once('close', () => inner.destroy());
    inner.once('close', () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    get connections() {
      return connections;
    },
    set(wanted) {
      state = wanted;
      cut();
    },
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
