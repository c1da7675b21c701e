import type { RequestHandler } from 'express';

const LOOPBACK_NAMES = new Set(['localhost', '127.0.0.1', '[::1]']);

/** True for `127.0.0.1`, `::1` and their mixed spelling. */
function isLoopbackAddress(address: string | undefined): boolean {
  return address === '::1' || /^(::ffff:)?127\./.test(address ?? '');
}

/** True for the origin of a page served by this machine: `http://localhost:8054`, `http://127.0.0.1:1`, `http://[::1]:2`. */
function isLoopbackOrigin(origin: string): boolean {
  if (!URL.canParse(origin)) return false;
  return LOOPBACK_NAMES.has(new URL(origin).hostname);
}

/** True for an http address of this machine, with whatever path. */
export function isLoopbackUrl(address: string): boolean {
  return address.startsWith('http://') && isLoopbackOrigin(address);
}

/**
 * Lets only this machine in. The `Host` is looked at too: a web page whose name is rebound to 127.0.0.1 connects from
 * here, and could otherwise read the answers as its own.
 */
export const refuseStrangers: RequestHandler = (req, res, next) => {
  if (isLoopbackAddress(req.socket.remoteAddress) && isLoopbackOrigin(`http://${req.headers.host ?? ''}`)) {
    next();
    return;
  }
  res
    .status(403)
    .json({ error: 'access_denied', error_description: 'Only requests from this machine to a loopback address.' });
};

/** Pages of the same machine on another port (the API's start page) may read the answers; no other page may. */
export const allowLoopbackPages: RequestHandler = (req, res, next) => {
  const { origin } = req.headers;
  if (origin === undefined) {
    next();
    return;
  }
  if (!isLoopbackOrigin(origin)) {
    res.status(403).json({ error: 'access_denied', error_description: 'Only for pages served by this machine.' });
    return;
  }
  res.set({
    'Access-Control-Allow-Origin': origin,
    'Access-Control-Allow-Headers': 'content-type',
    'Access-Control-Allow-Methods': 'GET, POST',
    Vary: 'Origin',
  });
  if (req.method === 'OPTIONS') res.status(204).end();
  else next();
};
