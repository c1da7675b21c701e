import { Router } from 'express';
import { ApiError } from './api-errors';
import { readPlacedCall } from './call-parameters';
import { callResource } from './call-resource';
import type { Engine } from './engine';
import { Leg } from './leg';
import { createServe, VERSION } from './rest-route';
import { Text } from './texts/text';
import { readPlacedText } from './texts/text-parameters';
import { textResource } from './texts/text-resource';

/** Twilio's second pair of credentials: nothing is charged, sent or kept. */
export interface TestCredentials {
  /** `AC` and 32 hex digits, another than the account's. */
  readonly accountSid: string;
  readonly authToken: string;
}

type Refusals = Readonly<Record<string, readonly [code: number, message: string]>>;

/** The one number that may send and call. */
const GOOD_SENDER = '+15005550006';
const NOT_OURS = [21606, "The 'From' number is not a valid, message-capable Twilio phone number."] as const;

/** @see https://www.twilio.com/docs/iam/test-credentials#magic-input */
const TEXTS: { readonly from: Refusals; readonly to: Refusals } = {
  from: {
    '+15005550001': [21212, "Invalid 'From' Phone Number"],
    '+15005550007': NOT_OURS,
    '+15005550008': [21611, "This 'From' number has exceeded the maximum number of queued messages"],
  },
  to: {
    '+15005550001': [21211, "Invalid 'To' Phone Number"],
    '+15005550002': [21612, "The 'To' phone number cannot be reached from this 'From' number"],
    '+15005550003': [21408, 'Permission to send an SMS has not been enabled for the region of the number.'],
    '+15005550004': [21610, 'Attempt to send to unsubscribed recipient'],
    '+15005550009': [21614, "'To' number is not a valid mobile number"],
  },
};
const CALLS: { readonly from: Refusals; readonly to: Refusals } = {
  from: { '+15005550001': [21212, "Invalid 'From' Phone Number"] },
  to: {
    '+15005550001': [21217, 'Phone Number does not appear to be valid'],
    '+15005550002': [21214, "'To' phone number cannot be reached"],
    '+15005550003': [21215, 'Account not authorized to call the number'],
    '+15005550004': [21216, 'Account not allowed to call the number'],
  },
};

/**
 * What Twilio's test credentials can do: create a call or a message whose answer depends on magic numbers. Nothing
 * rings, no receipt follows, and nothing can be read again.
 */
export function createTestAccountApi(engine: Engine, credentials: TestCredentials): Router {
  const router = Router();
  const account = `${VERSION}/Accounts/${credentials.accountSid}`;
  const serve = createServe(engine, { ...credentials, apiKeys: {} });
  router.post(
    `${account}/Messages.json`,
    serve({
      place: null,
      work: (_req, fields) => {
        const { to, from, body, statusCallback, validitySeconds } = readPlacedText(fields);
        refuse(TEXTS.from, from ?? '');
        if (from !== GOOD_SENDER) throw new ApiError(400, ...NOT_OURS);
        refuse(TEXTS.to, to);
        const text = new Text({
          direction: 'outbound-api',
          to,
          sender: from,
          serviceSid: null,
          body,
          statusCallback,
          validitySeconds,
        });
        return { status: 201, body: textResource(text, credentials.accountSid, engine.clock, 0) };
      },
    }),
  );
  router.post(
    `${account}/Calls.json`,
    serve({
      place: null,
      work: (_req, fields) => {
        // The magic senders come first: to the form check they are numbers like any other.
        const { to, from } = readPlacedCall(fields, (number) => {
          refuse(CALLS.from, number);
          return number === GOOD_SENDER;
        });
        refuse(CALLS.to, to);
        const leg = new Leg({ direction: 'outbound-api', to, from });
        return { status: 201, body: callResource(leg, credentials.accountSid, engine.clock, 0) };
      },
    }),
  );
  const forbidden = serve({
    place: null,
    work: () => {
      throw new ApiError(403, 20008, 'Resource not accessible with Test Account Credentials');
    },
  });
  router.use(`${account}.json`, forbidden);
  router.use(account, forbidden);
  return router;
}

function refuse(magic: Refusals, number: string): void {
  const refusal = magic[number];
  if (refusal !== undefined) throw new ApiError(400, ...refusal);
}
