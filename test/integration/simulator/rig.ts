import twilio, { type Twilio } from 'twilio';
import { type LedgerEntry, type Settings, SimulatorClient, type TextEntry } from '../../../simulator/client';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../../simulator/server';
import { PATIENCE_MS } from '../../patience';
import { openTwilioContract } from '../../twilio-contract';
import { ServiceDouble } from './service-double';

export const ACCOUNT_SID = `AC${'0123456789abcdef'.repeat(2)}`;
export const AUTH_TOKEN = 'a-token-for-tests-only-0123456789';
export const API_KEY = `SK${'fedcba9876543210'.repeat(2)}`;
export const API_SECRET = 'a-secret-for-tests-only-012345678';
export const OURS = '+14155550100';
/** A Messaging Service with two numbers, one of each country. */
export const SERVICE = `MG${'0a1b2c3d'.repeat(4)}`;
export const [POOL_US, POOL_UK] = ['+14155550110', '+442079460110'] as const;
export const USER = '+14155550142';
export const MENTOR = '+14155550143';

/** Phones and TwiML run fifty times faster than life; words take no time. */
const FAST: Partial<Settings> = {
  timeScale: 50,
  wordMs: 0,
  callsPerSecond: 0,
  listLagMs: 0,
  webhookRetryMs: [10],
  signedPort: 'as-given',
  messagesPerSecond: 0,
  senderQueueSeconds: 36_000,
  sentAfterMs: 50,
  deliveredAfterMs: 250,
  priceAfterMs: 1_000,
  advancedOptOut: false,
  textCountries: null,
};

export interface Rig {
  readonly simulator: Simulator;
  readonly phones: SimulatorClient;
  readonly service: ServiceDouble;
  readonly twilio: Twilio;
  /**
   * Places a call to USER whose first document is at `/voice` of the service; gives its SID. It rings for as long as
   * Twilio lets it, which is 12 s here.
   */
  place(more?: Partial<PlaceOptions>): Promise<string>;
  /** Forgets all calls, phones and faults, and what the service received; settings as at the start. */
  fresh(): Promise<void>;
  /** Waits for a leg to end and gives its line of the ledger. */
  over(sid: string): Promise<LedgerEntry>;
  /** Creates a message to USER from OURS whose receipts go to `/receipt`; gives its SID. */
  text(more?: Partial<TextOptions>): Promise<string>;
  /** Waits until a message is in one of these states. */
  textIs(sid: string, ...statuses: TextEntry['status'][]): Promise<TextEntry>;
  /** The SID of one of our numbers. */
  numberSid(number: string): string;
  /** Ends both, and holds every request and answer so far against Twilio's OpenAPI document where it is there. */
  stop(): Promise<void>;
}

const contract = openTwilioContract();

type TextOptions = Parameters<Twilio['messages']['create']>[0];
type PlaceOptions = Parameters<Twilio['calls']['create']>[0];

/** A simulator, a service and the real `twilio` package between them. */
export async function startRig(options: Partial<SimulatorOptions> = {}): Promise<Rig> {
  const settings = { ...FAST, ...options.settings };
  const service = new ServiceDouble(AUTH_TOKEN);
  await service.start();
  const simulator = await startSimulator({
    port: 0,
    accountSid: ACCOUNT_SID,
    authToken: AUTH_TOKEN,
    apiKeys: { [API_KEY]: API_SECRET },
    numbers: [
      {
        number: OURS,
        voiceUrl: `${service.url}/inbound`,
        statusCallback: `${service.url}/inbound-status`,
        smsUrl: `${service.url}/text`,
      },
      { number: '+447700900100', voiceUrl: `${service.url}/inbound` },
      { number: POOL_US, smsUrl: `${service.url}/text` },
      { number: POOL_UK, smsUrl: `${service.url}/text` },
    ],
    services: [{ sid: SERVICE, senders: [POOL_US, POOL_UK] }],
    ...options,
    settings,
  });
  const phones = new SimulatorClient(simulator.url);
  const client = twilioAt(simulator.url);
  return {
    simulator,
    phones,
    service,
    twilio: client,
    place: async (more) => {
      const call = await client.calls.create({
        to: USER,
        from: OURS,
        url: `${service.url}/voice`,
        timeout: 600,
        ...more,
      });
      return call.sid;
    },
    fresh: async () => {
      service.received.length = 0;
      await phones.reset();
      await phones.settings(settings);
    },
    over: (sid) =>
      eventually(async () => (await phones.ledger()).find((entry) => entry.sid === sid && entry.endedAt !== null)),
    text: async (more) => {
      const statusCallback = `${service.url}/receipt#rc=3&rp=5xx,ct,rt`;
      const from = more?.messagingServiceSid === undefined ? { from: OURS } : {};
      const message = await client.messages.create({ to: USER, ...from, body: 'Hello.', statusCallback, ...more });
      return message.sid;
    },
    textIs: (sid, ...statuses) =>
      eventually(async () =>
        (await phones.messages()).find((each) => each.sid === sid && statuses.includes(each.status)),
      ),
    numberSid: (number) => String(simulator.engine.numbers.search({ PhoneNumber: number })[0]?.sid),
    stop: async () => {
      const exchanges = await phones.exchanges();
      await simulator.close();
      await service.stop();
      const violations = exchanges.flatMap((exchange) => contract?.violations(exchange) ?? []);
      if (violations.length > 0) throw new Error(`not as in Twilio's document:\n${violations.join('\n')}`);
    },
  };
}

/** The package as a service would use it, with another base URL. */
export function twilioAt(url: string, username = ACCOUNT_SID, password = AUTH_TOKEN): Twilio {
  const client = twilio(username, password, { accountSid: ACCOUNT_SID, timeout: 15_000 });
  client.api.baseUrl = url;
  return client;
}

/** The same for another account. */
export function twilioFor(url: string, accountSid: string, authToken: string): Twilio {
  const client = twilio(accountSid, authToken, { timeout: 15_000 });
  client.api.baseUrl = url;
  return client;
}

/** Asks again until there is an answer. @throws after `deadlineMs` */
export async function eventually<T>(
  ask: () => T | undefined | null | false | Promise<T | undefined | null | false>,
  deadlineMs = PATIENCE_MS,
): Promise<T> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const value = await ask();
    if (value !== undefined && value !== null && value !== false) return value;
    if (Date.now() > deadline) throw new Error(`not so after ${deadlineMs} ms: ${ask.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export function twiml(verbs: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Response>${verbs}</Response>`;
}
