import { createServer } from 'node:http';
import express from 'express';
import { createVoiceTokens } from '../../../providers/voice-tokens';
import { createPagesRouter } from '../../../simulator/pages';
import { startSimulator } from '../../../simulator/server';
import type { Simulator } from '../../../simulator/server';

export const OUR_NUMBER = '+14155550100';
export const USER = '+14155550142';
export const MENTOR = '+14155550171';

const ACCOUNT_SID = `AC${'0123456789abcdef'.repeat(2)}`;
const AUTH_TOKEN = 'fedcba9876543210'.repeat(2);

const API_KEY = `SK${'0123456789abcdef'.repeat(2)}`;
const API_SECRET = 'a-secret-for-tests-only-012345678';
const TWIML_APP = `AP${'0123456789abcdef'.repeat(2)}`;

/** What the service gives to an app of a user. */
export function appToken(identity: string): string {
  const account = { accountSid: ACCOUNT_SID, apiKey: API_KEY, apiSecret: API_SECRET, twimlAppSid: TWIML_APP };
  return createVoiceTokens({ ...account, voiceTokenTtlMs: 600_000 })?.issue(identity).token ?? '';
}

export interface MaskedCalls {
  readonly simulator: Simulator;
  /** Rings a phone as the service does: `POST Calls` with Basic auth. */
  ring(number: string): Promise<void>;
  /** Texts a phone as the service does. */
  text(number: string, body: string): Promise<void>;
  close(): Promise<void>;
}

/** The simulator with its page, and beside it a service that knows one thing: two people, one number, one masked call. */
export async function startMaskedCalls(): Promise<MaskedCalls> {
  const twiml = await serveTwiml();
  const simulator = await startSimulator({
    port: 0,
    accountSid: ACCOUNT_SID,
    authToken: AUTH_TOKEN,
    apiKeys: { [API_KEY]: API_SECRET },
    apps: [{ sid: TWIML_APP, voiceUrl: `${twiml.url}/confirmed` }],
    numbers: [{ number: OUR_NUMBER, voiceUrl: `${twiml.url}/inbound`, smsUrl: `${twiml.url}/text` }],
    settings: { wordMs: 0 },
    mount: async (_url, { mailbox }) => [
      createPagesRouter({ page: () => ({ organisationNumbers: [OUR_NUMBER], startPage: null }), mailbox }),
    ],
  });
  const post = async (resource: string, form: Record<string, string>): Promise<void> => {
    const answer = await fetch(`${simulator.url}/2010-04-01/Accounts/${ACCOUNT_SID}/${resource}.json`, {
      method: 'POST',
      headers: { Authorization: `Basic ${Buffer.from(`${ACCOUNT_SID}:${AUTH_TOKEN}`).toString('base64')}` },
      body: new URLSearchParams({ From: OUR_NUMBER, ...form }),
    });
    if (answer.status !== 201) throw new Error(`it was refused: ${answer.status} ${await answer.text()}`);
  };
  const ring = (number: string) => post('Calls', { To: number, Url: `${twiml.url}/greeting` });
  const text = (number: string, body: string) => post('Messages', { To: number, Body: body });
  const close = async (): Promise<void> => {
    await simulator.close();
    await twiml.close();
  };
  return { simulator, ring, text, close };
}

async function serveTwiml(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const app = express();
  const server = createServer(app);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const url = `http://127.0.0.1:${address.port}`;
  const documents: Record<string, string> = {
    '/greeting': `<Gather numDigits="1" timeout="30" action="${url}/confirmed"><Say>Hello, this is the call you asked for. To go on, press 1.</Say></Gather>`,
    '/confirmed': `<Say>Thank you. We are looking for a mentor for you. Once you are connected, you have 60 minutes to talk.</Say><Dial callerId="${OUR_NUMBER}" action="${url}/over"><Number url="${url}/whisper">${MENTOR}</Number></Dial>`,
    '/whisper': `<Gather numDigits="1" timeout="30" action="${url}/taken"><Say>Hello, this is a call for you. To take it, press 1.</Say></Gather><Hangup/>`,
    '/taken': '<Say>Thank you. You are connected now.</Say>',
    '/over': '<Say>Goodbye.</Say><Hangup/>',
    '/text': '<Message>Thank you for writing: https://example.org/help</Message>',
    '/inbound': '<Say>Thank you for calling.</Say><Hangup/>',
  };
  app.post('/{*path}', (req, res) => {
    res.type('xml').send(`<Response>${documents[req.path] ?? ''}</Response>`);
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => {
        resolve();
      });
    });
  return { url, close };
}
