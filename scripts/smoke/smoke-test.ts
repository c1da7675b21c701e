import { withOverrides } from '../../domain/connection-overrides';
import { ProviderError } from '../../providers/provider-error';
import { translated } from '../../providers/translated';
import { createTwilioClient, type TwilioAccount } from '../../providers/twilio-client';
import { CommandError } from '../command-error';
import { type Heard, openEars } from './ears';

export interface SmokeOptions {
  readonly account: TwilioAccount;
  /** E.164. */
  readonly to: string;
  /** One of ours; also the sender of the text unless a service is named. */
  readonly from: string;
  readonly messagingServiceSid: string | null;
  /** As Twilio calls us, without path and slash. */
  readonly publicUrl: string;
  readonly port: number;
  /** How long callbacks are waited for. */
  readonly waitMs: number;
  /** Asked once, after everything that costs nothing; false ends it there. */
  readonly mayISpend: () => Promise<boolean>;
  readonly say: (line: string) => void;
  /** Ends the waiting. */
  readonly cancel?: AbortSignal;
}

export interface SmokeResult {
  /** The last state that Twilio told of each; null: it told nothing. */
  readonly call: string | null;
  readonly message: string | null;
  readonly isWell: boolean;
}

const CALL_ENDS = ['completed', 'busy', 'no-answer', 'failed', 'canceled'];
const MESSAGE_ENDS = ['delivered', 'undelivered', 'failed'];
const HTTP_TIMEOUT_MS = 10_000;
const RING_SECONDS = 25;

/**
 * One call and one text on the configured account, and then Twilio's own word about both. The way is the service's:
 * its HTTP client, its credentials, its public address, its check of signatures.
 * @returns null when it may not spend
 * @throws CommandError when Twilio refuses one of them, or the public address does not lead here
 */
export async function runSmoke(options: SmokeOptions): Promise<SmokeResult | null> {
  const { account, to, from, messagingServiceSid, say } = options;
  const { client, http } = createTwilioClient(account, { httpTimeoutMs: HTTP_TIMEOUT_MS });
  const heard: Heard[] = [];
  const began = { at: 0 };
  let wake: () => void = () => undefined;
  const ears = await openEars({
    port: options.port,
    publicUrl: options.publicUrl,
    authToken: account.authToken,
    onHeard: (each) => {
      if (each.isSigned) heard.push(each);
      say(lineOf(each, began.at));
      wake();
    },
  });
  let callSid: string | null = null;
  try {
    await ears.findOurselves();
    await asked('the account', () => client.api.v2010.accounts(account.accountSid).fetch());
    if (!(await options.mayISpend())) return null;
    began.at = Date.now();
    const message = await asked('the text', () =>
      client.messages.create({
        to,
        ...(messagingServiceSid === null ? { from } : { messagingServiceSid }),
        body: 'This is a test text of Kindline.',
        statusCallback: withOverrides(ears.urls.message),
      }),
    );
    say(`  text  created as ${message.sid}`);
    const call = await asked('the call', () =>
      client.calls.create({
        to,
        from,
        url: withOverrides(ears.urls.voice),
        timeout: RING_SECONDS,
        statusCallback: withOverrides(ears.urls.call),
        statusCallbackEvent: ['initiated', 'ringing', 'answered', 'completed'],
      }),
    );
    callSid = call.sid;
    say(`  call  created as ${callSid}`);
    const deadline = Date.now() + options.waitMs;
    while (!isOver(heard) && Date.now() < deadline && options.cancel?.aborted !== true) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, Math.min(500, Math.max(0, deadline - Date.now())));
      });
    }
    return resultOf(heard);
  } finally {
    // A phone that still rings is somebody's: it is not left ringing.
    if (callSid !== null && stateOf(heard, 'call', CALL_ENDS) === null) {
      await client
        .calls(callSid)
        .update({ status: 'completed' })
        .then(undefined, () => undefined);
    }
    await ears.close();
    http.close();
  }
}

/** @throws CommandError with Twilio's code and where it is explained; never its message, which may quote the number */
async function asked<T>(what: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await translated('probe', ask);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    if (error.code === null) throw new CommandError(`Twilio gave no usable answer when asked for ${what}.`);
    throw new CommandError(
      `Twilio refuses ${what}: HTTP ${error.status}, code ${error.code} (https://www.twilio.com/docs/errors/${error.code}).`,
    );
  }
}

function isOver(heard: readonly Heard[]): boolean {
  return stateOf(heard, 'call', CALL_ENDS) !== null && stateOf(heard, 'message', MESSAGE_ENDS) !== null;
}

/** The last of these states that was told. */
function stateOf(heard: readonly Heard[], about: Heard['about'], states: readonly string[] | null): string | null {
  const told = heard.filter((each) => each.about === about && each.status !== 'asks for TwiML');
  return told.findLast((each) => states === null || states.includes(each.status))?.status ?? null;
}

function resultOf(heard: readonly Heard[]): SmokeResult {
  const call = stateOf(heard, 'call', CALL_ENDS) ?? stateOf(heard, 'call', null);
  const message = stateOf(heard, 'message', MESSAGE_ENDS) ?? stateOf(heard, 'message', null);
  // Nobody picking up is no fault of the line; a call that ended without asking us for its words is.
  const reached = call === 'busy' || call === 'no-answer';
  const spoke = call === 'completed' && heard.some(({ status }) => status === 'asks for TwiML');
  return { call, message, isWell: (reached || spoke) && message === 'delivered' };
}

function lineOf({ about, status, errorCode, isSigned, at }: Heard, since: number): string {
  const code = errorCode === null ? '' : `, code ${errorCode} (https://www.twilio.com/docs/errors/${errorCode})`;
  const forged = isSigned ? '' : ': REFUSED, the signature is wrong (auth token, or the public address)';
  return `  ${about === 'call' ? 'call' : 'text'}  ${((at - since) / 1000).toFixed(1).padStart(5)} s  ${status}${code}${forged}`;
}
