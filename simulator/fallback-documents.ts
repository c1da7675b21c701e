import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Request, type Response, Router } from 'express';
import { numbersOf } from './twiml-documents';
import { parseTwiml } from './twiml-parser';

/**
 * Serves the static fallback documents, as a static host or TwiML Bins would in production: without a
 * database, a workflow or a signature check. GET and POST alike, because Twilio asks as the call was told to.
 */
export function createFallbackDocuments(folder: string): Router {
  const router = Router();
  const serve = (req: Request, res: Response) => {
    const name = String(req.params.name);
    // Country codes (and `default`) only: the name never leads out of the folder.
    if (!/^[A-Za-z]{2,7}$/.test(name)) {
      res.status(404).end();
      return;
    }
    res.sendFile(`${name}.xml`, { root: folder, headers: { 'Content-Type': 'text/xml' } }, (error) => {
      if (error && !res.headersSent) res.status(404).end();
    });
  };
  router.get('/:name.xml', serve);
  router.post('/:name.xml', serve);
  return router;
}

/** The numbers that the documents dial: helplines, whose phones answer by themselves. */
export function readHelplines(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.xml'));
  const dials = files.flatMap((name) => parseTwiml(readFileSync(join(folder, name), 'utf8')));
  return dials.filter((verb) => verb.name === 'Dial').flatMap((dial) => numbersOf(dial).map((number) => number.text));
}
