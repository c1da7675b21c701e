import { randomUUID } from 'node:crypto';
import { pause } from '../clock';
import { parseTwiml, type TwimlElement, TwimlFailure } from '../twiml-parser';
import { resolveUrl } from '../twiml-words';
import { type Webhook, WebhookFailed } from '../webhook-sender';
import { countryOf } from './messaging-services';
import type { Keyword } from './opt-outs';
import type { Text } from './text';
import type { TextNetwork } from './text-network';

/** A text that a document asks for. */
export interface Reply {
  readonly to: string;
  readonly body: string;
  readonly statusCallback: string | null;
}

export interface TextQuestion {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  /** Told to the service only where the account has Advanced Opt-Out. */
  readonly keyword: Keyword | null;
}

/** A document that redirects for ever is stopped here. */
const MOST_REDIRECTS = 10;

/**
 * Tells the service about a text and reads what it wants said in return.
 * @throws TwimlFailure when the answer cannot be had or read
 */
export async function askAboutText(network: TextNetwork, text: Text, question: TextQuestion): Promise<Reply[]> {
  const replies: Reply[] = [];
  let { url, method } = question;
  for (let redirects = 0; ; redirects += 1) {
    if (redirects > MOST_REDIRECTS) throw new TwimlFailure(11200, 'too many redirects');
    const verbs = await ask(network, text, { ...question, url, method });
    const redirect = verbs.find((verb) => verb.name === 'Redirect');
    for (const verb of verbs) {
      if (verb === redirect) break;
      if (verb.name !== 'Message') throw new TwimlFailure(12200, `<${verb.name}> is no verb of a text's document`);
      replies.push(replyOf(verb, text, url));
    }
    if (redirect === undefined) return replies;
    url = resolveUrl(url, redirect.text);
    method = redirect.attributes.method?.toUpperCase() === 'GET' ? 'GET' : 'POST';
  }
}

function replyOf(verb: TwimlElement, text: Text, base: string): Reply {
  const body = verb.children.find((child) => child.name === 'Body')?.text ?? verb.text;
  if (body === '') throw new TwimlFailure(14103, 'a <Message> without a body');
  const { to, statusCallback, action } = verb.attributes;
  const callback = statusCallback ?? action;
  return {
    to: to ?? text.handset,
    body,
    statusCallback: callback === undefined ? null : resolveUrl(base, callback),
  };
}

async function ask(network: TextNetwork, text: Text, question: TextQuestion): Promise<readonly TwimlElement[]> {
  const fault = network.faults.take('inbound-message', { to: text.to });
  const hook: Webhook = {
    kind: 'inbound-message',
    sid: text.sid,
    url: question.url,
    method: question.method,
    params: inboundParameters(network, text, question.keyword),
    token: randomUUID(),
  };
  if (fault?.kind === 'late') await pause(fault.delayMs ?? 1_000);
  try {
    const asked = network.webhooks.send(fault ? { ...hook, fault: fault.kind } : hook);
    if (fault?.kind === 'duplicate') await Promise.allSettled([asked, network.webhooks.send(hook)]);
    const { body, contentType } = await asked;
    // Nothing to say is fine without a type too.
    if (body.trim() === '') return [];
    if (!/^(text|application)\/([\w.+-]*\+)?xml\b/i.test(contentType)) {
      throw new TwimlFailure(12300, 'the answer has no XML content type');
    }
    return parseTwiml(body);
  } catch (error) {
    if (error instanceof WebhookFailed) throw new TwimlFailure(error.code, error.message);
    throw error;
  }
}

function inboundParameters(network: TextNetwork, text: Text, keyword: Keyword | null): Record<string, string> {
  const from = text.sender ?? '';
  const isAdvanced = network.settings.advancedOptOut && keyword !== null;
  return {
    AccountSid: network.accountSid,
    ApiVersion: '2010-04-01',
    Body: text.body,
    From: from,
    FromCity: '',
    FromCountry: countryOf(from),
    FromState: '',
    FromZip: '',
    MessageSid: text.sid,
    NumMedia: '0',
    NumSegments: String(text.segments),
    SmsMessageSid: text.sid,
    SmsSid: text.sid,
    SmsStatus: 'received',
    To: text.to,
    ToCity: '',
    ToCountry: countryOf(text.to),
    ToState: '',
    ToZip: '',
    ...(text.serviceSid === null ? {} : { MessagingServiceSid: text.serviceSid }),
    ...(isAdvanced ? { OptOutType: keyword } : {}),
  };
}
