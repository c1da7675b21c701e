import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type NextFunction, type Request, type Response, type Router } from 'express';
import { keepCallsIn } from './calls-file';
import { createControlApi } from './control-api';
import { Engine } from './engine';
import { createFallbackDocuments } from './fallback-documents';
import { refuseStrangers } from './loopback';
import { startSmtp } from './mail/smtp';
import type { OwnNumber } from './own-numbers';
import { createRestApi } from './rest-api';
import { createSnsApi } from './sns/sns-api';
import type { TestCredentials } from './test-account';
import type { MessagingService } from './texts/messaging-services';
import type { TwimlApp } from './twiml-apps';
import type { Settings } from './types';

export interface SimulatorOptions {
  /** 0 takes any free port. */
  readonly port: number;
  /** Default 127.0.0.1: the control interface has no sign-in. */
  readonly host?: string;
  /** `AC` and 32 hex digits. */
  readonly accountSid: string;
  readonly authToken: string;
  /** API key SID → secret. */
  readonly apiKeys?: Readonly<Record<string, string>>;
  /** A second account that knows Twilio's magic numbers and does nothing. */
  readonly testCredentials?: TestCredentials;
  readonly numbers: readonly OwnNumber[];
  readonly helplines?: readonly string[];
  readonly services?: readonly MessagingService[];
  readonly apps?: readonly TwimlApp[];
  readonly settings?: Partial<Settings>;
  /** Folder of the static fallback documents, served as `/fallback/{country}.xml`. */
  readonly fallbackDir?: string;
  /** Where mails are taken by SMTP; 0 takes any free port, without one there is none. */
  readonly smtpPort?: number;
  /** File that keeps calls and phones over restarts. */
  readonly callsFile?: string;
  /** More to serve, given the server's own URL: the pages at `/`, the issuer at `/oidc`. */
  readonly mount?: (url: string, engine: Engine) => Promise<readonly Router[]>;
}

export interface Simulator {
  readonly url: string;
  readonly port: number;
  readonly engine: Engine;
  /** Null: it takes no mail. */
  readonly smtpPort: number | null;
  close(): Promise<void>;
}

/** Starts a local Twilio: REST API, telephone network, phones, all on one port. */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const engine = new Engine(options);
  const stopKeeping = options.callsFile === undefined ? () => {} : keepCallsIn(options.callsFile, engine);
  const app = express();
  app.disable('x-powered-by');
  const server = createServer(app);
  const host = options.host ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  const port = portOf(server.address());
  const url = `http://${host}:${port}`;

  app.use('/2010-04-01', express.text({ type: () => true, limit: '64kb' }));
  app.use(createSnsApi(url));
  app.use('/simulator', refuseStrangers, createControlApi(engine));
  if (options.fallbackDir !== undefined) app.use('/fallback', createFallbackDocuments(options.fallbackDir));
  app.use(createRestApi(engine, { ...options, apiKeys: options.apiKeys ?? {} }, options.testCredentials));
  for (const router of (await options.mount?.(url, engine)) ?? []) app.use(router);
  app.use((_error: unknown, _req: Request, res: Response, next: NextFunction) => {
    if (res.headersSent) next(_error);
    else res.status(500).json({ code: 20500, message: 'Internal Server Error', more_info: '', status: 500 });
  });

  const { smtpPort } = options;
  const { mailbox, faults } = engine;
  const smtp = smtpPort === undefined ? null : await startSmtp({ port: smtpPort, host, mailbox, faults });

  return {
    url,
    port,
    engine,
    smtpPort: smtp?.port ?? null,
    close: async () => {
      await smtp?.close();
      stopKeeping();
      engine.reset();
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

function portOf(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('the simulator listens on no port');
  return address.port;
}
