import { Context } from '@temporalio/activity';
import { claimDueNotices, type DueNotice, noteNotTold, noteTold } from '../db/incident-notices';
import { countOpenIncidents, type Noted, noteFindings } from '../db/incidents';
import { inTransaction } from '../db/pool';
import { recipientSubject } from '../db/recipients';
import { forgetRefusedRequests } from '../db/refused-requests';
import { findTemplate } from '../db/templates';
import { watchdogFacts } from '../db/watchdog-facts';
import { parseEmailAddress } from '../domain/email-address';
import { alertmanagerBody, incidentUrl, sentenceOf } from '../domain/incident-words';
import type { MessageInput } from '../domain/message';
import { sealableWords } from '../domain/message-words';
import { judge } from '../domain/watchdog-rules';
import { startMessage } from '../temporal/messages';
import type { ActivityDependencies } from './dependencies';
import { withHeartbeat } from './heartbeat';

/** Told in one run; there are never many. */
const MOST_AT_ONCE = 50;
/** Longer than one attempt takes, and shorter than an on-call person sleeps (ms). */
const LEASE_MS = 90_000;
const FIRST_PAUSE = 30_000;
const LONGEST_PAUSE = 15 * 60_000;
/** A mail about an incident of yesterday helps nobody (ms). */
const MAIL_LIFETIME = 24 * 3_600_000;

/** Looking for what is wrong, and telling of it. Each may be repeated and run beside itself. */
export function createWatchdogActivities(deps: ActivityDependencies) {
  const { pool, logger, watchdog, alertWebhook } = deps;
  return {
    /** Reads the counts of the window, judges them, and notes incidents with whom to tell, in one transaction. */
    async lookForIncidents(): Promise<Noted> {
      await forgetRefusedRequests(pool);
      const findings = judge(await watchdogFacts(pool, watchdog.windowMs, watchdog.limits), watchdog.limits);
      const channels = { emails: watchdog.emails.length, webhook: alertWebhook !== null };
      const noted = await noteFindings(pool, findings, { calmMs: watchdog.calmMs, channels });
      if (noted.raised > 0) logger.warn({ sweep: 'watchdog', count: noted.raised }, 'incidents were raised');
      if (noted.closed > 0) logger.info({ sweep: 'watchdog', count: noted.closed }, 'incidents are over');
      const gauge = Context.current().metricMeter.createGauge('kindline_incidents_open', 'int');
      for (const [kind, count] of await countOpenIncidents(pool)) gauge.set(count, { kind });
      return noted;
    },

    /** Tells what is due. @returns how many notices went out */
    tellOfIncidents: (): Promise<number> =>
      withHeartbeat(async () => {
        let told = 0;
        for (const notice of await claimDueNotices(pool, MOST_AT_ONCE, LEASE_MS)) {
          const error = await tell(deps, notice);
          if (error === null) {
            await noteTold(pool, notice);
            told += 1;
            continue;
          }
          const pauseMs = error === 'not-configured' ? null : pauseAfter(notice.attempts);
          await noteNotTold(pool, notice, error, pauseMs);
          const { channel, attempts } = notice;
          logger.warn({ channel, attempt: attempts + 1, reason: error }, 'an incident could not be told');
        }
        return told;
      }),
  };
}

function pauseAfter(attempts: number): number {
  return Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** attempts);
}

/** @returns null when it is told; else why not, in a word of ours */
async function tell(deps: ActivityDependencies, notice: DueNotice): Promise<string | null> {
  const { alertWebhook, mail, watchdog } = deps;
  if (notice.channel === 'webhook') {
    if (alertWebhook === null) return 'not-configured';
    const told = await alertWebhook.tell(alertmanagerBody(notice.incident, notice.phase, mail.publicBaseUrl));
    return told.isDelivered ? null : told.error;
  }
  // The list may have been changed since; whoever stands there now is not asked to act on yesterday.
  const address = watchdog.emails[notice.recipient - 1];
  if (address === undefined) return 'not-configured';
  try {
    await startMessage(deps.temporal, await mailOf(deps, notice, address));
    return null;
  } catch (error) {
    deps.logger.warn({ channel: 'email', error }, 'the mail of an incident could not be begun');
    return 'not-begun';
  }
}

/**
 * The mail as a message like any other: sealed, sent at most once by its id, followed until its end. The addresses are the
 * organisation's own people's, who become recipients as everybody does.
 */
async function mailOf(deps: ActivityDependencies, notice: DueNotice, address: string): Promise<MessageInput> {
  const { pool, vault, tokenizer, mail, retention } = deps;
  const to = parseEmailAddress(address);
  if (to === null) throw new Error('ALERT_EMAILS holds no address at this place');
  const { incident, phase, messageId } = notice;
  const template = await findTemplate(pool, phase === 'firing' ? 'incident' : 'incident-over', null);
  if (template === null) throw new Error('A built-in template is missing');
  const now = Date.now();
  const link = incidentUrl(mail.publicBaseUrl, incident.incidentId);
  const value = sealableWords({ variables: { what: sentenceOf(incident), link } });
  const token = tokenizer.token(to);
  const sealed = await inTransaction(pool, async (tx) => {
    const { version: tokenVersion } = tokenizer;
    const subjectId = await recipientSubject(tx, { token, tokenVersion, candidates: tokenizer.candidates(to) });
    const until = (ms: number) => new Date(now + MAIL_LIFETIME + ms);
    const recordId = await vault.seal(
      { subjectId, kind: 'email', value: to, expiresAt: until(retention.numberForOneMessage) },
      tx,
    );
    const words = await vault.seal({ subjectId, kind: 'text', value, expiresAt: until(retention.messageBody) }, tx);
    return { subjectId, recordId, words };
  });
  return {
    messageId,
    batchId: null,
    batchRow: null,
    requestedBy: sealed.subjectId,
    subjectId: sealed.subjectId,
    recordId: sealed.recordId,
    ownsRecord: true,
    recipientToken: token.toString('hex'),
    country: 'ZZ',
    channel: 'email',
    kind: 'alert',
    messageClass: 'safety',
    urgency: 'emergency',
    language: 'en',
    content: { templateId: template.templateId, templateVersion: template.version, recordId: sealed.words },
    notBefore: null,
    notAfter: new Date(now + MAIL_LIFETIME).toISOString(),
    zone: null,
    fallback: null,
    sender: null,
    requestHash: tokenizer.keyedHash('request', 'incident', messageId).toString('hex'),
    requestedAt: new Date(now).toISOString(),
  };
}
