import express, { type RequestHandler, type Router } from 'express';
import type { Issuer } from './issuer';
import { refuseStrangers } from './loopback';

/**
 * `POST /app/token`: what an app does when its user signs in, for the phones page: an access token of the local issuer,
 * then a voice token of the service. Query parameters of GET /voice-token may be given as JSON.
 * @param service address of the API; null: there is none to ask
 */
export function createAppTokens(service: string | null, sign: Issuer['sign']): Router {
  const router = express.Router();
  router.post('/app/token', refuseStrangers, express.json({ limit: '4kb' }), tokenRequest(service, sign));
  return router;
}

function tokenRequest(service: string | null, sign: Issuer['sign']): RequestHandler {
  return async (req, res) => {
    const answer = await tokenOf(service, sign, textsOf(req.body));
    res.set('Cache-Control', 'no-store');
    res.status('token' in answer ? 200 : 409).json(answer);
  };
}

async function tokenOf(
  service: string | null,
  sign: Issuer['sign'],
  query: [string, string][],
): Promise<{ token: string } | { error: string }> {
  if (service === null) return { error: 'No service runs beside these phones: paste a token of another one.' };
  const headers = { authorization: `Bearer ${await sign('user')}` };
  try {
    const answer = await fetch(`${service}/voice-token?${new URLSearchParams(query).toString()}`, { headers });
    const token = await answer.text();
    return answer.ok ? { token } : { error: `The service gave no token (${answer.status}).` };
  } catch {
    return { error: 'The service does not answer.' };
  }
}

function textsOf(body: unknown): [string, string][] {
  return Object.entries(Object(body)).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
}
