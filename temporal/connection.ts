import { Client, Connection } from '@temporalio/client';
import type { DataConverter } from '@temporalio/common';
import type { Config } from '../config/config';
import type { ServiceKeys } from '../vault/service-keys';
import { createPayloadCodec } from './payload-codec';
import { subjectAttribute } from './search-attributes';

/** Where the failure converter lies; the workflow bundle needs the same one as client and worker. */
export const failureConverterPath = require.resolve('./failure-converter');

/** How payloads and failures are written, the same for every client and worker. */
export function dataConverter(keys: ServiceKeys): DataConverter {
  return { payloadCodecs: [createPayloadCodec(keys.all('payload-codec'))], failureConverterPath };
}

/** A client that also knows the queue of our workflows and how a subject stands in a search attribute. */
export class KindlineClient extends Client {
  constructor(
    connection: Connection,
    namespace: string,
    readonly keys: ServiceKeys,
    readonly workflowQueue: string,
  ) {
    super({ connection, namespace, dataConverter: dataConverter(keys) });
  }

  subjectAttribute(subjectId: string): string {
    return subjectAttribute(this.keys, subjectId);
  }
}

export interface TemporalConnection {
  readonly client: KindlineClient;
  readonly connection: Connection;
  /** To be called when nothing is under way any more: closing under a pending retry throws where nobody catches. */
  close(): Promise<void>;
}

/** The options both kinds of connection (client and native) share. */
export function connectionOptions(config: Config['temporal']) {
  return {
    address: config.address,
    ...(config.tls ? { tls: true as const } : {}),
    ...(config.apiKey === null ? {} : { apiKey: config.apiKey }),
  };
}

/**
 * Connects on first use: a process that can answer without Temporal (with helplines, from memory) must be able to
 * start without it.
 */
export async function connectTemporal(config: Config['temporal'], keys: ServiceKeys): Promise<TemporalConnection> {
  const connection = Connection.lazy(connectionOptions(config));
  const client = new KindlineClient(connection, config.namespace, keys, config.taskQueue);
  return { client, connection, close: () => connection.close() };
}
