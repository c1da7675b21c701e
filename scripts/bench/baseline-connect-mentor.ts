/**
 * Baseline of `POST /connect-mentor`: bare Express, the RS256 check of the token by jose, one prepared INSERT, the same
 * start of the same workflow with the same payload encryption. No check of the body, limits, sealing, log or headers.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import express, { type RequestHandler } from 'express';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { loadConfig } from '../../config/config';
import { createPool } from '../../db/pool';
import { connectTemporal } from '../../temporal/connection';
import { startMentorCall } from '../../temporal/mentor-calls';
import { createServiceKeys } from '../../vault/service-keys';
import { bareApp, serve } from './baseline-server';
import { callInput } from './call-input';

async function main(): Promise<void> {
  const config = loadConfig(process.env);
  const { issuer, audience } = config.oidc;
  const pool = createPool(config.database, { warn: () => undefined });
  const keys = createServiceKeys([{ purpose: 'payload-codec', version: 1, key: randomBytes(32) }]);
  const temporal = await connectTemporal(config.temporal, keys);
  const signingKeys = createRemoteJWKSet(new URL(`${issuer}/jwks`));

  const accept: RequestHandler = async (req, res) => {
    const token = req.headers.authorization?.slice('Bearer '.length) ?? '';
    const { payload } = await jwtVerify(token, signingKeys, { algorithms: ['RS256'], issuer, audience });
    const callId = randomUUID();
    await pool.query({
      name: 'call',
      text: 'INSERT INTO baseline.calls (call_id, account, phone, requested_at) VALUES ($1, $2, $3, now())',
      values: [callId, payload.sub, req.body.userPhoneNumber],
    });
    await startMentorCall(temporal.client, callInput(config, callId));
    res.status(202).json({ success: true, callId, status: 'starting', callSid: null });
  };
  const app = bareApp();
  app.use(express.json());
  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 takes care of a rejection
  app.post('/connect-mentor', accept);
  serve(app, config.api.port, async () => {
    await pool.end();
    await temporal.close();
  });
}

void main();
