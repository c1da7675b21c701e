/**
 * Baseline of `POST /call-status`: bare Express, the check of Twilio's signature by Twilio's own library, one prepared
 * INSERT, and for the end of the user's leg the same signal. No second look whether the event is new, and nothing that
 * could deliver it later.
 */
import { randomBytes } from 'node:crypto';
import express, { type RequestHandler } from 'express';
import { validateRequest } from 'twilio/lib/webhooks/webhooks';
import { loadConfig } from '../../config/config';
import { createPool } from '../../db/pool';
import { isTerminal } from '../../domain/call-status';
import { connectTemporal } from '../../temporal/connection';
import { signalLegEnded } from '../../temporal/mentor-calls';
import { createServiceKeys } from '../../vault/service-keys';
import { bareApp, serve } from './baseline-server';

/** Long: a bare server that is asked too much is slow, it does not fail. */
const SIGNAL_WITHIN_MS = 10_000;

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const { authToken } = config.twilio;
  const pool = createPool(config.database, { warn: () => undefined });
  const keys = createServiceKeys([{ purpose: 'payload-codec', version: 1, key: randomBytes(32) }]);
  const temporal = await connectTemporal(config.temporal, keys);

  const take: RequestHandler = async (req, res) => {
    const url = `${config.api.publicBaseUrl}${req.originalUrl}`;
    if (!validateRequest(authToken, req.get('X-Twilio-Signature') ?? '', url, req.body)) {
      res.status(403).end();
      return;
    }
    const { CallSid: callSid, CallStatus: status, SequenceNumber: sequence } = req.body;
    const { call, leg } = req.query;
    if (typeof call !== 'string') throw new TypeError('The callback of no call');
    await pool.query({
      name: 'event',
      text: `INSERT INTO baseline.events (call_sid, status, sequence, call_id, leg) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO NOTHING`,
      values: [callSid, status, sequence, call, leg],
    });
    if (leg === 'user' && isTerminal(status)) {
      const event = { seenKey: `${callSid}:${status}`, callSid, status, dispatchId: null, errorCode: null };
      await signalLegEnded(temporal.client, call, event, SIGNAL_WITHIN_MS);
    }
    res.status(204).end();
  };
  const app = bareApp();
  app.use(express.urlencoded({ extended: false }));
  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 takes care of a rejection
  app.post('/call-status', take);
  serve(app, config.api.port, async () => {
    await pool.end();
    await temporal.close();
  });
}

void main();
