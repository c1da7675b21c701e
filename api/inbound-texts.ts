import { type ArrivedText, type InboundParts, routeText, storeText } from '../db/inbound-routing';
import { markHandled } from '../db/webhook-events';
import { silentTwiml } from '../domain/twiml';
import { tellEndings } from './buddy-endings';
import type { ApiDeps } from './deps';
import type { EventHandler } from './event-handlers';
import { SIGNAL_WITHIN } from './limits';
import type { Routes } from './routes';
import { storedInTime } from './stored-events';
import type { TwilioRequest } from './twilio-requests';
import { sendTwiml } from './twiml-questions';
import { within } from './unavailable';

/**
 * `POST /twiml/inbound-text`: somebody has texted one of our numbers. Sealed and stored first, then routed; what answers
 * is a message of its own, never TwiML, so that it is claimed once, limited and accounted for like any other. The
 * document says nothing: without one Twilio would answer with words of its own.
 */
export function inboundTexts(routes: Routes, deps: ApiDeps): void {
  routes.twilio('POST /twiml/inbound-text', async (asked, res) => {
    const arrived = readText(asked);
    if (arrived === null) return sendTwiml(res, silentTwiml());
    try {
      const { handledAt } = await storedInTime(deps.pool, arrived.seenKey, storeText(inboundParts(deps), arrived));
      if (handledAt === null) await deliver(deps, arrived);
    } catch (error) {
      deps.logger.warn({ route: '/twiml/inbound-text', error }, 'an event could not be stored');
      res.status(503).end();
      return;
    }
    sendTwiml(res, silentTwiml());
  });
}

/** For a stored text that is handed over again: who wrote what comes out of the vault, until it is swept. */
export const handleInboundText: EventHandler = (deps, { seenKey }) => {
  return async () => {
    await handOver(deps, seenKey, null);
    return 'handled';
  };
};

/** Never throws: what is not delivered stays unhandled, and the relay takes it up. */
async function deliver(deps: ApiDeps, arrived: ArrivedText): Promise<void> {
  try {
    await within(SIGNAL_WITHIN, handOver(deps, arrived.seenKey, arrived));
    await markHandled(deps.pool, arrived.seenKey);
    // A STOP may have come from a buddy's phone.
    await tellEndings(deps);
  } catch (error) {
    deps.logger.warn({ route: '/twiml/inbound-text', error }, 'an event waits for the relay');
  }
}

async function handOver(deps: ApiDeps, seenKey: string, arrived: ArrivedText | null): Promise<void> {
  const { answer, checkIn } = await routeText(inboundParts(deps), seenKey, arrived);
  if (checkIn !== null) await deps.checkIns.texted(checkIn, SIGNAL_WITHIN);
  if (answer !== null) await deps.messages.start(answer);
}

function inboundParts({ pool, vault, tokenizer, config }: ApiDeps): InboundParts {
  const { allowedCountries } = config.limits;
  const { phoneNumbers } = config.twilio;
  const settings = { ...config.inboundTexts, allowedCountries, phoneNumbers, retention: config.retention };
  return { pool, vault, tokenizer, settings };
}

/** Null for what no text of Twilio's lacks: a signature that was overheard can be split anew until a field is lost. */
function readText({ field }: TwilioRequest): ArrivedText | null {
  const [messageSid, from, to, body] = [field('MessageSid'), field('From'), field('To'), field('Body')];
  if (messageSid === null || !/^(?:SM|MM)[0-9a-f]{32}$/i.test(messageSid)) return null;
  if (from === null || body === null || to === null || !/^\+?\d{3,15}$/.test(to)) return null;
  const serviceSid = field('MessagingServiceSid');
  const optOutType = field('OptOutType');
  return {
    // One text has one SID; the idempotency token is signed by nobody.
    seenKey: `inbound-text:${messageSid}`,
    messageSid,
    from,
    to,
    body,
    serviceSid: serviceSid !== null && /^MG[0-9a-f]{32}$/i.test(serviceSid) ? serviceSid : null,
    optOutType: optOutType !== null && /^(?:STOP|START|HELP)$/i.test(optOutType) ? optOutType.toUpperCase() : null,
  };
}
