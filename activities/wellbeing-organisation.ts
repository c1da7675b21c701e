/** The organisation's own people: the wellbeing service and those on call. What they get says nothing about anybody. */
import { inTransaction } from '../db/pool';
import type { Db } from '../db/query';
import { recipientSubject } from '../db/recipients';
import { findTemplate } from '../db/templates';
import { callerIdFor } from '../domain/caller-id';
import { parseEmailAddress } from '../domain/email-address';
import type { EscalationChannel, EscalationParty } from '../domain/escalation-policy';
import { sealableWords } from '../domain/message-words';
import { countryOfNumber } from '../domain/phone-number';
import { SealedValue } from '../domain/sealed';
import { longestCourseMs, type VoiceAlertRecipient } from '../domain/voice-alert';
import { startVoiceAlert } from '../temporal/voice-alerts';
import { startBuddyMessage } from './buddy-messages';
import type { ActivityDependencies } from './dependencies';

const LIFETIME_MS = 24 * 3_600_000;
const LANGUAGE = 'en';

export interface ServiceNews {
  readonly alertId: string;
  readonly messageId: string;
  readonly channel: EscalationChannel;
  /** That it is over, and nothing is to be done any more. */
  readonly isOver: boolean;
  readonly reportsTo?: string;
}

/** @returns false when nobody is configured for this channel */
export async function tellService(
  deps: ActivityDependencies,
  { alertId, messageId, channel, isOver, reportsTo }: ServiceNews,
): Promise<boolean> {
  const { serviceEmail, servicePhone } = deps.wellbeing.escalation;
  const address = channel === 'email' && serviceEmail !== null ? parseEmailAddress(serviceEmail) : null;
  const phone = servicePhone === null ? null : SealedValue.of('phone', servicePhone);
  const to = address ?? phone;
  if (to === null) return false;
  const found = await inTransaction(deps.pool, (tx) => sealedRecipient(deps, tx, to, LIFETIME_MS));
  const country = servicePhone === null || address !== null ? null : countryOfNumber(servicePhone);
  await startBuddyMessage(deps, {
    messageId,
    requestedBy: found.subjectId,
    to: { ...found, country, language: LANGUAGE },
    channel: address === null ? 'sms' : 'email',
    kind: 'alert',
    messageClass: 'safety',
    template: isOver ? 'wellbeing.service-over' : 'wellbeing.service',
    variables: { reference: alertId },
    notAfter: new Date(Date.now() + LIFETIME_MS),
    ...(reportsTo === undefined ? {} : { reportsTo }),
  });
  return true;
}

export interface OrganisationCall {
  readonly who: EscalationParty;
  /** Of the voice alert. */
  readonly askId: string;
  readonly reportsTo: string;
}

/** Rings the service, or everybody on call in turn, until one has acknowledged it. @returns false with nobody to ring */
export async function callOrganisation(
  deps: ActivityDependencies,
  { who, askId, reportsTo }: OrganisationCall,
): Promise<boolean> {
  const { servicePhone, onCallNumbers } = deps.wellbeing.escalation;
  const service = servicePhone === null ? [] : [servicePhone];
  const numbers = who === 'wellbeing-service' ? service : onCallNumbers;
  const isEmergency = who === 'emergency';
  const template = await findTemplate(deps.pool, isEmergency ? 'wellbeing.emergency' : 'wellbeing.on-call', null);
  if (template === null) throw new Error('A built-in template is missing');
  const content = { templateId: template.templateId, templateVersion: template.version };
  const recipients = await sealedRecipients(deps, numbers, content);
  const first = recipients[0];
  if (first === undefined) return false;
  const { attempts, backoff, escalationDelayMs, times } = deps.voiceAlert;
  await startVoiceAlert(deps.temporal, {
    alertId: askId,
    requestedBy: first.subjectId,
    messageId: null,
    recipients,
    kind: 'alert',
    messageClass: isEmergency ? 'safety' : 'ordinary',
    urgency: isEmergency ? 'emergency' : 'normal',
    acknowledge: true,
    neutralFirst: true,
    attempts,
    backoff,
    escalationDelayMs,
    smsWhenExhausted: true,
    times,
    requestHash: deps.tokenizer.keyedHash('request', 'wellbeing-call', askId).toString('hex'),
    requestedAt: new Date().toISOString(),
    reportsTo,
  });
  return true;
}

async function sealedRecipients(
  deps: ActivityDependencies,
  numbers: readonly string[],
  content: Omit<VoiceAlertRecipient['content'], 'recordId'>,
): Promise<VoiceAlertRecipient[]> {
  const lifetimeMs = longestCourseMs(deps.voiceAlert, numbers.length) + LIFETIME_MS;
  return await inTransaction(deps.pool, async (tx) => {
    const recipients: VoiceAlertRecipient[] = [];
    for (const number of numbers) {
      const { subjectId, recordId, token } = await sealedRecipient(
        deps,
        tx,
        SealedValue.of('phone', number),
        lifetimeMs,
      );
      const words = { kind: 'text', value: sealableWords({ variables: {} }) } as const;
      const expiresAt = new Date(Date.now() + lifetimeMs + deps.retention.messageBody);
      const country = countryOfNumber(number) ?? 'US';
      recipients.push({
        subjectId,
        recordId,
        ownsRecord: true,
        recipientToken: token.toString('hex'),
        country,
        language: LANGUAGE,
        organisationNumber: callerIdFor(deps.phoneNumbers, country),
        content: { ...content, recordId: await deps.vault.seal({ ...words, subjectId, expiresAt }, tx) },
      });
    }
    return recipients;
  });
}

/** They become recipients as everybody does. */
async function sealedRecipient(
  { vault, tokenizer, retention }: ActivityDependencies,
  tx: Db,
  to: SealedValue<'phone'> | SealedValue<'email'>,
  lifetimeMs: number,
) {
  const token = tokenizer.token(to);
  const { version: tokenVersion } = tokenizer;
  const subjectId = await recipientSubject(tx, { token, tokenVersion, candidates: tokenizer.candidates(to) });
  const expiresAt = new Date(Date.now() + lifetimeMs + retention.numberForOneMessage);
  const recordId = await vault.seal({ subjectId, kind: to.kind, value: to, expiresAt }, tx);
  return { subjectId, recordId, token };
}
