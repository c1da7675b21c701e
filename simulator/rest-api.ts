import { type Request, Router } from 'express';
import { notFound } from './api-errors';
import { createCallsApi } from './calls-api';
import type { Engine } from './engine';
import { createInsightsApi } from './insights-api';
import { type Answer, createServe, type Credentials, pathOf, VERSION } from './rest-route';
import { createTestAccountApi, type TestCredentials } from './test-account';
import { createMediaApi } from './recordings/media-api';
import { createRecordingsApi } from './recordings/recordings-api';
import { createTextsApi } from './texts/texts-api';
import { rfc2822 } from './webhook-parameters';

/** Twilio's REST API, as much of it as there is: one account, its calls and their recordings, its texts and its numbers. */
export function createRestApi(engine: Engine, credentials: Credentials, test: TestCredentials | null = null): Router {
  const router = Router();
  const startedAt = new Date();
  const account = `${VERSION}/Accounts/${credentials.accountSid}`;
  const serve = createServe(engine, credentials);

  router.get(
    `${account}.json`,
    serve({
      place: 'read',
      work: () => ({
        status: 200,
        body: {
          sid: credentials.accountSid,
          owner_account_sid: credentials.accountSid,
          friendly_name: 'Kindline simulator',
          status: 'active',
          type: 'Full',
          // Twilio shows it here. Nobody needs it twice.
          auth_token: null,
          date_created: rfc2822(startedAt),
          date_updated: rfc2822(startedAt),
          uri: `${account}.json`,
          subresource_uris: {
            calls: `${account}/Calls.json`,
            incoming_phone_numbers: `${account}/IncomingPhoneNumbers.json`,
            messages: `${account}/Messages.json`,
            recordings: `${account}/Recordings.json`,
          },
        },
      }),
    }),
  );
  router.use(createCallsApi(engine, serve, account));
  router.use(createTextsApi(engine, serve, account));
  router.use(createRecordingsApi(engine, serve, account));
  router.use(createMediaApi(engine, credentials, account));
  router.use(createInsightsApi(engine, serve));
  const numbers = `${account}/IncomingPhoneNumbers`;
  router.get(
    `${numbers}.json`,
    serve({
      place: 'list',
      work: (_req, fields) => {
        const numbersFound = engine.numbers.search(fields);
        // An account with more numbers than fit a page would need a simulator of its own.
        const page = { page: 0, page_size: 50, start: 0, end: Math.max(0, numbersFound.length - 1) };
        const uri = `${numbers}.json?PageSize=50&Page=0`;
        const uris = { uri, first_page_uri: uri, next_page_uri: null, previous_page_uri: null };
        return { status: 200, body: { incoming_phone_numbers: numbersFound, ...page, ...uris } };
      },
    }),
  );
  const found = (req: Request, resource: unknown): Answer => {
    if (resource === null) throw notFound(req.path);
    return { status: 200, body: resource };
  };
  router.get(
    `${numbers}/:number.json`,
    serve({ place: 'read', work: (req) => found(req, engine.numbers.read(String(req.params.number))) }),
  );
  router.post(
    `${numbers}/:number.json`,
    serve({
      place: 'update',
      work: (req, fields) => found(req, engine.numbers.update(String(req.params.number), fields)),
    }),
  );
  const app = `${account}/Applications/:app.json`;
  const sidOf = (req: Request) => String(req.params.app);
  router.get(app, serve({ place: 'read', work: (req) => found(req, engine.apps.read(sidOf(req))) }));
  router.post(
    app,
    serve({ place: 'update', work: (req, fields) => found(req, engine.apps.update(sidOf(req), fields)) }),
  );
  if (test !== null) router.use(createTestAccountApi(engine, test));
  // Another account, another resource or another version: all the same to somebody who may not know.
  router.use(
    VERSION,
    serve({
      place: null,
      work: (req) => {
        throw notFound(pathOf(req));
      },
    }),
  );
  return router;
}
