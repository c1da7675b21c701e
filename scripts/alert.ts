/**
 * `npm run alert -- --test`: sends one test through every channel that incidents are told by, and prints what each
 * answered. Exits with 1 when one of them did not take it, or when there is none.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { type Config, loadConfig } from '../config/config';
import { parseEmailAddress } from '../domain/email-address';
import { alertmanagerBody, sentenceOf, type ToldIncident } from '../domain/incident-words';
import { formOfText } from '../domain/templates';
import { SealedValue } from '../domain/sealed';
import { createAlertWebhook } from '../providers/alert-webhook';
import { openMail } from '../providers/open-mail';
import { ProviderError } from '../providers/provider-error';
import { CommandError, runCommand } from './command-error';
import { serviceSettings } from './service-settings';

interface Tried {
  readonly channel: string;
  /** Null: taken. */
  readonly error: string | null;
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { test: { type: 'boolean' }, json: { type: 'boolean' } } });
  if (values.test !== true) throw new CommandError('usage: npm run alert -- --test [--json]');
  const config = loadConfig((await serviceSettings()).env);
  const tried = [...(await tryWebhook(config)), ...(await tryMails(config))];
  if (values.json === true) process.stdout.write(`${JSON.stringify({ tried }, null, 2)}\n`);
  else process.stdout.write(inWords(tried));
  return tried.length > 0 && tried.every(({ error }) => error === null) ? 0 : 1;
}

/** A test begins and is over, so that nothing stays open at the receiver. */
async function tryWebhook({ watchdog, api }: Config): Promise<Tried[]> {
  if (watchdog.webhook === null) return [];
  const webhook = createAlertWebhook(watchdog.webhook);
  const test = testIncident();
  try {
    const began = await webhook.tell(alertmanagerBody(test, 'firing', api.publicBaseUrl));
    if (!began.isDelivered) return [{ channel: 'webhook', error: began.error }];
    const over = { ...test, closedAt: new Date() };
    const ended = await webhook.tell(alertmanagerBody(over, 'resolved', api.publicBaseUrl));
    return [{ channel: 'webhook', error: ended.isDelivered ? null : ended.error }];
  } finally {
    webhook.close();
  }
}

/** Straight to the carrier, past the service: it may be the service that is down. */
async function tryMails(config: Config): Promise<Tried[]> {
  const provider = openMail(config.mail, config.dispatch.httpTimeoutMs);
  const tried: Tried[] = [];
  try {
    for (const [index, address] of config.watchdog.emails.entries()) {
      const channel = `e-mail ${index + 1}`;
      const to = parseEmailAddress(address);
      if (to === null || provider === null || config.mail === null) tried.push({ channel, error: 'not-configured' });
      else {
        const words = sentenceOf(testIncident());
        const id = randomUUID();
        const mail = {
          messageId: `<${id}@kindline.invalid>`,
          from: config.mail.from,
          to,
          subject: SealedValue.of('text', 'Kindline: a test'),
          text: SealedValue.of('text', words),
          html: SealedValue.of('text', formOfText(words, 'en', 'html')),
          unsubscribeUrl: null,
          tags: { dispatch: id, message: id },
        };
        const error = await provider.send(mail).then(() => null, wordFor);
        tried.push({ channel, error });
      }
    }
  } finally {
    provider?.close();
  }
  return tried;
}

function testIncident(): ToldIncident {
  return { incidentId: randomUUID(), kind: 'test', counts: {}, raisedAt: new Date(), closedAt: null };
}

/** Their own words may quote an address. */
function wordFor(error: unknown): string {
  return error instanceof ProviderError ? error.outcome : 'failed';
}

function inWords(tried: readonly Tried[]): string {
  if (tried.length === 0) return 'Nobody is told of incidents: set ALERT_EMAILS or ALERT_WEBHOOK_URL.\n';
  return tried
    .map(
      ({ channel, error }) =>
        `${error === null ? 'ok    ' : 'FAILED'} ${channel}${error === null ? '' : `: ${error}`}\n`,
    )
    .join('');
}

void runCommand(main);
