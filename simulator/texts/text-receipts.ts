import { CallbackLine } from '../callback-line';
import type { Text } from './text';
import type { TextNetwork } from './text-network';

/**
 * Posts a text's progress to its StatusCallback: every state but the first. No sequence number and no time stamp, as
 * with Twilio: a receiver has to know by itself which state is the later one.
 * @param url of the message or its service, overrides in the fragment included
 */
export function reportReceipts(network: TextNetwork, text: Text, url: string): void {
  const line = new CallbackLine(network.webhooks, (error) =>
    network.notify(text, error.code, `message status callback: ${error.message}`),
  );
  text.on('status', () => {
    const fault = network.faults.take('message-callback', { to: text.to, event: text.status });
    const params = receiptParameters(text, network.accountSid);
    line.send({ kind: 'message-callback', sid: text.sid, url, method: 'POST', params }, fault);
  });
}

function receiptParameters(text: Text, accountSid: string): Record<string, string> {
  return {
    AccountSid: accountSid,
    ApiVersion: '2010-04-01',
    ...(text.from === null ? {} : { From: text.from }),
    MessageSid: text.sid,
    MessageStatus: text.status,
    SmsSid: text.sid,
    SmsStatus: text.status,
    To: text.to,
    ...(text.serviceSid === null ? {} : { MessagingServiceSid: text.serviceSid }),
    ...(text.errorCode === null ? {} : { ErrorCode: String(text.errorCode) }),
    ...(text.endedAt === null || text.sentAt === null ? {} : { RawDlrDoneDate: carrierMinute(text.endedAt) }),
  };
}

/** `YYMMDDhhmm`, without a zone: as exact as carriers are. */
function carrierMinute(date: Date): string {
  return date.toISOString().replace(/\D/g, '').slice(2, 12);
}
