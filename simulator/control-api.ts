import express, { type NextFunction, type Request, type Response, Router } from 'express';
import type { Engine } from './engine';
import { FAULTS_AT } from './faults';
import { HandsetRefused } from './handsets';
import { isDiallable } from './phone-numbers';
import type { Fault, HandsetScript, Settings } from './types';
import { clientNumber, isClient } from './voice-clients';
import { VoiceTokenRefused } from './voice-tokens';

/** Keeps proxies and browsers from closing a silent event stream. */
const HEARTBEAT_MS = 15_000;

/** Thrown for a control request that makes no sense; the text is shown to whoever sent it. */
class BadControl extends Error {}

/**
 * The simulator's own interface, for the handsets page, tests and demos. Not part of Twilio.
 * Bodies are JSON only: a form on some other web site cannot press keys here.
 */
export function createControlApi(engine: Engine): Router {
  const router = Router();
  const { handsets } = engine;
  router.use(express.json({ limit: '256kb' }));

  router.get('/health', (_req, res) => void res.json({ status: 'ok', accountSid: engine.accountSid }));
  router.get('/handsets', (_req, res) => void res.json({ handsets: handsets.views() }));
  router.post('/handsets', (req, res) => {
    const label = textOf(req, 'label');
    handsets.add(numberFrom(textOf(req, 'number')), label ?? null);
    res.status(201).json(handsets.view(String(textOf(req, 'number'))));
  });
  router.get('/handsets/:number', (req, res) => void res.json(handsets.view(numberOf(req))));
  router.put('/handsets/:number/script', (req, res) => {
    handsets.setScript(numberOf(req), readScript(req.body));
    res.json(handsets.view(numberOf(req)));
  });
  router.delete('/handsets/:number/script', (req, res) => {
    handsets.setScript(numberOf(req), null);
    res.json(handsets.view(numberOf(req)));
  });
  // What a person does at the page. 409 when the phone cannot: the page and a test both want to know.
  const act = (path: string, doIt: (number: string, req: Request) => void) => {
    router.post(`/handsets/:number/${path}`, (req, res) => {
      doIt(numberOf(req), req);
      res.json(handsets.view(numberOf(req)));
    });
  };
  act('answer', (number, req) => handsets.answer(number, textOf(req, 'sid')));
  act('decline', (number, req) => handsets.decline(number, textOf(req, 'sid')));
  act('hang-up', (number, req) => handsets.hangUp(number, textOf(req, 'sid')));
  act('lose', (number, req) => handsets.lose(number, textOf(req, 'sid')));
  act('press', (number, req) => handsets.press(number, textOf(req, 'digits') ?? '', textOf(req, 'sid')));
  // An app calls by its token and no other way: whose it is must not be anybody's to say.
  const made = (make: (req: Request) => Promise<unknown>) => async (req: Request, res: Response) => {
    res.status(201).json(await make(req));
  };
  const callOf = async (req: Request) => {
    const { sid, from: number } = await engine.clients.call(textOf(req, 'token') ?? '', paramsOf(req));
    return { sid, number };
  };
  const registered = async (req: Request) => {
    const { identity } = await engine.clients.register(textOf(req, 'token') ?? '');
    return { number: clientNumber(identity) };
  };
  router.post('/clients/call', made(callOf));
  router.post('/clients/register', made(registered));
  router.post('/handsets/:number/call', (req, res) => {
    const leg = engine.receiveCall(phoneOf(req), textOf(req, 'to') ?? '');
    if (!leg) throw new BadControl('`to` is none of the numbers of this account');
    res.status(201).json({ sid: leg.sid });
  });

  router.post('/handsets/:number/text', (req, res) => {
    const body = textOf(req, 'body') ?? '';
    if (body === '') throw new BadControl('`body` is empty');
    const text = engine.texts.receive(phoneOf(req), textOf(req, 'to') ?? '', body);
    if (!text) throw new BadControl('`to` is none of the numbers of this account that take texts');
    res.status(201).json({ sid: text.sid });
  });

  router.get('/events', (req, res) => streamHandsets(engine, req, res));
  router.get('/ledger', (_req, res) => void res.json({ ledger: engine.ledger() }));
  router.get('/texts', (_req, res) => void res.json({ texts: engine.texts.entries() }));
  router.get('/recordings', (_req, res) => void res.json({ recordings: engine.recordings.entries() }));
  router.get('/opt-outs', (_req, res) => void res.json({ optOuts: engine.texts.optOuts.entries() }));
  router.get('/mailbox', (_req, res) => void res.json({ mails: engine.mailbox.list() }));
  router.get('/dials', (_req, res) => void res.json({ dials: engine.dials.records() }));
  router.get('/exchanges', (_req, res) => void res.json({ exchanges: engine.exchanges }));
  router.get('/notifications', (_req, res) => void res.json({ notifications: engine.notifications }));
  router.get('/webhooks', (_req, res) => void res.json({ webhooks: engine.webhooks.records }));
  router.put('/faults', (req, res) => {
    engine.faults.set(readFaults(req.body));
    res.json({ faults: 'set' });
  });
  router.put('/numbers/:number/capabilities', (req, res) => {
    const body: unknown = req.body;
    if (!isRecord(body) || typeof body.voice !== 'boolean' || typeof body.sms !== 'boolean') {
      throw new BadControl('expected {voice, sms}, each true or false');
    }
    const capabilities = { voice: body.voice, sms: body.sms };
    if (!engine.numbers.setCapabilities(numberOf(req), capabilities)) throw new BadControl('it is not of this account');
    res.json(capabilities);
  });
  router.get('/settings', (_req, res) => void res.json(engine.settings));
  router.patch('/settings', (req, res) => {
    engine.change(readSettings(req.body));
    res.json(engine.settings);
  });
  router.post('/reset', (_req, res) => {
    engine.reset();
    res.status(204).end();
  });

  router.use((_req, res) => void res.status(404).json({ error: 'no such control route' }));
  router.use((error: unknown, _req: Request, res: Response, next: NextFunction) => {
    if (error instanceof HandsetRefused) res.status(409).json({ error: error.message });
    else if (error instanceof VoiceTokenRefused) res.status(403).json({ error: error.message });
    else if (error instanceof BadControl) res.status(400).json({ error: error.message });
    else if (error instanceof SyntaxError) res.status(400).json({ error: 'the body is not JSON' });
    else next(error);
  });
  return router;
}

/** Server-sent events: `handsets` with all phones first, then `handset` with every phone that changes, `mail` for each mail. */
function streamHandsets(engine: Engine, req: Request, res: Response): void {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', Connection: 'keep-alive' });
  const send = (event: string, data: unknown) => res.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  send('handsets', { handsets: engine.handsets.views() });
  const stops = [
    engine.handsets.watch((view) => send('handset', view)),
    engine.mailbox.watch(({ id }) => send('mail', { id })),
  ];
  const heartbeat = setInterval(() => res.write(': still here\n\n'), HEARTBEAT_MS);
  req.on('close', () => {
    for (const stop of stops) stop();
    clearInterval(heartbeat);
  });
}

/** The number in the path, or what an app is called. @throws BadControl when it is neither */
function numberOf(req: Request): string {
  const number = String(req.params.number);
  return isClient(number) ? number : numberFrom(number);
}

/** A phone with a number. @throws BadControl when it is none */
function phoneOf(req: Request): string {
  return numberFrom(String(req.params.number));
}

/** What an app sends along with its call. @throws BadControl unless all are texts */
function paramsOf(req: Request): Readonly<Record<string, string>> {
  const body: unknown = req.body;
  const params = isRecord(body) ? (body.params ?? {}) : {};
  if (!isTexts(params)) throw new BadControl('`params` are texts by name');
  return params;
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((each) => typeof each === 'string');
}

function numberFrom(text: string | undefined): string {
  if (text === undefined || !isDiallable(text)) throw new BadControl('the number is neither E.164 nor a short code');
  return text;
}

/** A text of the body, or undefined. */
function textOf(req: Request, name: string): string | undefined {
  const body: unknown = req.body;
  if (!isRecord(body)) return undefined;
  const value = body[name];
  return typeof value === 'string' ? value : undefined;
}

const OUTCOMES = ['answer', 'busy', 'no-answer', 'decline', 'voicemail', 'failed'];

/** Enough of a check to catch a slip; the shapes are those of types.ts. */
function readScript(body: unknown): HandsetScript {
  if (!isScript(body)) throw new BadControl('this is no script: see docs/simulator.md');
  return body;
}

function isScript(body: unknown): body is HandsetScript {
  if (!isRecord(body)) return false;
  const { answerAfterMs, outcome, keys, texts } = body;
  return (
    (answerAfterMs === undefined || typeof answerAfterMs === 'number') &&
    (outcome === undefined || (typeof outcome === 'string' && OUTCOMES.includes(outcome))) &&
    (texts === undefined || isTextScript(texts)) &&
    (keys === undefined ||
      (Array.isArray(keys) && keys.every((key) => isRecord(key) && typeof key.press === 'string' && 'when' in key)))
  );
}

const TEXT_OUTCOMES = ['delivered', 'undelivered', 'failed', 'sent', 'refused'];

function isTextScript(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { outcome, errorCode, receipts, reply } = value;
  return (
    (outcome === undefined || (typeof outcome === 'string' && TEXT_OUTCOMES.includes(outcome))) &&
    (errorCode === undefined || typeof errorCode === 'number') &&
    (receipts === undefined ||
      (Array.isArray(receipts) && receipts.every((each) => isRecord(each) && 'status' in each))) &&
    (reply === undefined || (isRecord(reply) && typeof reply.body === 'string'))
  );
}

function readFaults(body: unknown): readonly Fault[] {
  const faults = isRecord(body) ? body.faults : null;
  if (!isFaults(faults)) throw new BadControl('these are no faults: see docs/simulator.md');
  return faults;
}

function isFaults(value: unknown): value is readonly Fault[] {
  return Array.isArray(value) && value.every(isFault);
}

function isFault(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { on, kind } = value;
  const kinds: Readonly<Record<string, readonly string[]>> = FAULTS_AT;
  return typeof on === 'string' && typeof kind === 'string' && kinds[on]?.includes(kind) === true;
}

function readSettings(body: unknown): Partial<Settings> {
  if (!isSettings(body)) throw new BadControl('these are no settings: see docs/simulator.md');
  return body;
}

function isSettings(body: unknown): body is Partial<Settings> {
  const numbers = [
    'callsPerSecond',
    'timeScale',
    'wordMs',
    'messagesPerSecond',
    'senderQueueSeconds',
    'sentAfterMs',
    'deliveredAfterMs',
    'priceAfterMs',
  ];
  return isRecord(body) && numbers.every((name) => body[name] === undefined || typeof body[name] === 'number');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
