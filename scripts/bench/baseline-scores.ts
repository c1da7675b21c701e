/**
 * Baseline of `POST /api/wellbeing/scores`: bare Express, the RS256 check of the token by jose, one prepared INSERT of the
 * whole batch. No check of the body, no look whether a user is known, no lock, and nothing is judged.
 */
import express, { type RequestHandler } from 'express';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { loadConfig } from '../../config/config';
import { createPool } from '../../db/pool';
import { bareApp, serve } from './baseline-server';
import type { BenchScore } from './wellbeing-scores';

function main(): void {
  const config = loadConfig(process.env);
  const { issuer, audience } = config.oidc;
  const pool = createPool(config.database, { warn: () => undefined });
  const signingKeys = createRemoteJWKSet(new URL(`${issuer}/jwks`));

  const take: RequestHandler = async (req, res) => {
    const token = req.headers.authorization?.slice('Bearer '.length) ?? '';
    await jwtVerify(token, signingKeys, { algorithms: ['RS256'], issuer, audience });
    const events: BenchScore[] = req.body.events;
    await pool.query({
      name: 'scores',
      text: `INSERT INTO baseline.scores
             SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::float8[], $4::text[], $5::timestamptz[])
             ON CONFLICT DO NOTHING`,
      values: [
        events.map(({ eventId }) => eventId),
        events.map(({ userId }) => userId),
        events.map(({ score }) => score),
        events.map(({ risk }) => risk),
        events.map(({ measuredAt }) => measuredAt),
      ],
    });
    res.json({ taken: events.length });
  };
  const app = bareApp();
  app.use(express.json({ limit: 1_000_000 }));
  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Express 5 takes care of a rejection
  app.post('/api/wellbeing/scores', take);
  serve(app, config.api.port, () => pool.end());
}

main();
