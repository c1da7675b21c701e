import { feedbackOf, takeFeedback } from '../db/call-feedback';
import { destroyCallNumber } from '../db/calls';
import { askQuestion } from '../db/open-questions';
import { isOptedOut, ORGANISATION } from '../db/opt-outs';
import { inTransaction } from '../db/pool';
import { readPreferences } from '../db/preferences';
import { switchStates } from '../db/switches';
import { findTemplate } from '../db/templates';
import { RATINGS } from '../domain/feedback';
import { helplineNumbers, helplinesFor } from '../domain/helplines';
import type { MentorCallInput } from '../domain/mentor-call';
import type { MessageInput } from '../domain/message';
import { sealableWords } from '../domain/message-words';
import type { VariableValues } from '../domain/templates';
import { startMessage } from '../temporal/messages';
import type { ActivityDependencies } from './dependencies';

/** A call to a number, and not one from the app. */
export type CalledNumber = MentorCallInput & { readonly recordId: string; readonly recipientToken: string };

/** The text that a call may end with. */
export interface TextAfterCall {
  readonly call: CalledNumber;
  readonly text: 'helplines' | 'how-was-it';
  /** Made by the workflow, so that a repeated attempt starts no second text and asks no second time. */
  readonly messageId: string;
  readonly questionId: string;
}

type Parts = Pick<ActivityDependencies, 'pool' | 'vault' | 'temporal' | 'enabled' | 'crisisOverride' | 'retention'>;

/** How late each may still come (ms): a question is asked now or never, numbers help for some hours. */
const LIFETIME = { helplines: 6 * 3_600_000, 'how-was-it': 3_600_000 } as const;
const WORDS_BETWEEN: Readonly<Record<string, string>> = { en: ' or ', es: ' o al ', fr: ' ou le ', hi: ' या ' };

/** What is done for a user whose conversation is over. */
export function createCallAfterwardsActivities(deps: Parts) {
  const { pool, temporal } = deps;
  return {
    /** What the user said by key; may be repeated. */
    async noteFeedback({ callId, rating }: { callId: string; rating: number }): Promise<void> {
      await inTransaction(pool, (tx) => takeFeedback(tx, deps, { callId, rating, words: null, via: 'key' }));
    },

    /**
     * Starts the text, as a message of its own that keeps opt-outs, preferences and limits, and destroys a number given
     * for the call at its own end. Where it must not or cannot be sent, the number is destroyed now. May be repeated.
     */
    async textAfterCall(asked: TextAfterCall): Promise<void> {
      const message = (await maySend(deps, asked)) ? await messageOf(deps, asked) : null;
      if (message === null) {
        await destroyCallNumber(pool, asked.call.callId);
        return;
      }
      if (asked.text === 'how-was-it') await inTransaction(pool, (tx) => askQuestion(tx, questionOf(asked)));
      await startMessage(temporal, message);
    },
  };
}

async function maySend({ pool, enabled }: Parts, { call, text }: TextAfterCall): Promise<boolean> {
  const isOn = (await switchStates(pool)).find(({ name }) => name === 'sms')?.isOn ?? true;
  if (!enabled.sms || !isOn) return false;
  // Of class safety: the statement that claims it decides, by the person's wishes and the policy for emergencies.
  if (text === 'helplines') return true;
  const { preferences } = await readPreferences(pool, call.userId);
  if (preferences.some(({ channel, kind, allowed }) => channel === 'sms' && kind === 'survey' && !allowed))
    return false;
  const token = Buffer.from(call.recipientToken, 'hex');
  const recipient = { token, tokenVersion: 0, candidates: [token] };
  if (await isOptedOut(pool, { recipient, scope: ORGANISATION, senders: [call.organisationNumber] })) return false;
  return (await feedbackOf(pool, call.callId)) === null;
}

function questionOf({ call, questionId }: TextAfterCall) {
  return {
    questionId,
    kind: 'survey',
    objectId: call.callId,
    subjectId: call.userId,
    recipientToken: Buffer.from(call.recipientToken, 'hex'),
    sender: call.organisationNumber,
    answers: RATINGS,
  } as const;
}

/** Null where there is nothing to say: a country that we know no number of. */
async function messageOf(
  { pool, vault, crisisOverride, retention }: Parts,
  { call, text, messageId }: TextAfterCall,
): Promise<MessageInput | null> {
  const variables = text === 'helplines' ? numbersToCall(call, crisisOverride) : {};
  const template = await findTemplate(pool, text, null);
  if (variables === null || template === null) return null;
  const isSafety = text === 'helplines';
  const now = Date.now();
  const { userId: subjectId, country, language } = call;
  const value = sealableWords({ variables });
  const expiresAt = new Date(now + retention.messageBody);
  const recordId = await vault.seal({ subjectId, kind: 'text', value, expiresAt });
  return {
    messageId,
    batchId: null,
    batchRow: null,
    requestedBy: subjectId,
    subjectId,
    recordId: call.recordId,
    ownsRecord: call.numberIsForThisCallOnly,
    recipientToken: call.recipientToken,
    country,
    channel: 'sms',
    kind: isSafety ? 'alert' : 'survey',
    messageClass: isSafety ? 'safety' : 'ordinary',
    urgency: isSafety ? 'emergency' : 'normal',
    language,
    content: { templateId: template.templateId, templateVersion: template.version, recordId },
    notBefore: null,
    notAfter: new Date(now + LIFETIME[text]).toISOString(),
    zone: null,
    fallback: null,
    // An answer has to come back to where it was asked.
    sender: isSafety ? null : call.organisationNumber,
    requestHash: call.requestHash,
    requestedAt: new Date(now).toISOString(),
  };
}

function numbersToCall({ country, language }: MentorCallInput, crisisOverride: string | null): VariableValues | null {
  const lines = helplinesFor(country, crisisOverride);
  const numbers = helplineNumbers(lines);
  if (numbers.length === 0 || lines.emergency.number === null) return null;
  return { lines: numbers.join(WORDS_BETWEEN[language] ?? ' / '), emergency: lines.emergency.number };
}
