import type { JWTVerifyGetKey } from 'jose';
import type { Pool } from 'pg';
import type { Config } from '../config/config';
import type { Vault } from '../db/vault-records';
import type { CallPlan, LegEnded, MentorCallInput, MentorCallResult, TwimlQuestion } from '../domain/mentor-call';
import type { BatchState, MessageBatchInput } from '../domain/message-batch';
import type { MessageInput, MessageReceipt, MessageResult } from '../domain/message';
import type { AlertPlan, AlertQuestion, VoiceAlertInput, VoiceAlertResult } from '../domain/voice-alert';
import type { WebhookUrls } from '../domain/webhook-urls';
import type { SnsReader } from '../providers/sns-messages';
import type { VoiceProvider } from '../providers/twilio-voice';
import type { MentorCallDescription } from '../temporal/mentor-calls';
import type { MessageDescription } from '../temporal/messages';
import type { VoiceAlertDescription } from '../temporal/voice-alerts';
import type { CallLog } from '../vault/call-log';
import type { Logger } from '../vault/logger';
import type { Tokenizer } from '../vault/tokens';
import type { ApiMetrics } from './metrics';
import type { PartWatch } from './part-watch';

/** What the API asks of the workflows of mentor calls; `temporal/mentor-calls.ts` says what each may throw. */
export interface MentorCallProcess {
  start(input: MentorCallInput): Promise<'running' | 'over'>;
  ask(callId: string, question: TwimlQuestion, updateId: string, deadlineMs: number): Promise<CallPlan>;
  legEnded(callId: string, event: LegEnded, deadlineMs: number): Promise<'signalled' | 'closed'>;
  cancel(callId: string): Promise<MentorCallResult | 'not-found'>;
  describe(callId: string): Promise<MentorCallDescription | null>;
}

/** What the API asks of the workflows of messages; `temporal/messages.ts` says what each may throw. */
export interface MessageProcess {
  start(input: MessageInput): Promise<'running' | 'over'>;
  receipt(messageId: string, receipt: MessageReceipt, deadlineMs: number): Promise<'signalled' | 'closed'>;
  cancel(messageId: string): Promise<MessageResult | 'too-late' | 'not-found'>;
  describe(messageId: string): Promise<MessageDescription | null>;
}

/** What the API asks of the workflows of voice alerts; `temporal/voice-alerts.ts` says what each may throw. */
export interface VoiceAlertProcess {
  start(input: VoiceAlertInput): Promise<'running' | 'over'>;
  ask(alertId: string, question: AlertQuestion, updateId: string, deadlineMs: number): Promise<AlertPlan>;
  legEnded(alertId: string, event: LegEnded, deadlineMs: number): Promise<'signalled' | 'closed'>;
  cancel(alertId: string): Promise<VoiceAlertResult | 'not-found'>;
  describe(alertId: string): Promise<VoiceAlertDescription | null>;
}

/** What the API asks of the workflows of batches; `temporal/message-batches.ts` says what each may throw. */
export interface MessageBatchProcess {
  start(input: MessageBatchInput): Promise<'running' | 'over'>;
  tell(batchId: string, what: 'pause' | 'resume' | 'cancel'): Promise<BatchState | 'over'>;
}

/** Everything the application is made of; only `main.ts` and tests make it. */
export interface ApiDeps {
  readonly config: Config;
  readonly logger: Logger;
  readonly callLog: CallLog;
  readonly pool: Pool;
  readonly vault: Vault;
  readonly tokenizer: Tokenizer;
  readonly process: MentorCallProcess;
  /** What SNS posts to us, judged. */
  readonly sns: SnsReader;
  readonly messages: MessageProcess;
  readonly batches: MessageBatchProcess;
  readonly alerts: VoiceAlertProcess;
  readonly voice: Pick<VoiceProvider, 'endCall'>;
  readonly urls: WebhookUrls;
  /** Whether Twilio is known to be down, so that a call would only be promised in vain. */
  readonly twilio: Pick<PartWatch, 'state' | 'report'>;
  /** The key ring's service, as last seen. */
  readonly kms: Pick<PartWatch, 'report'>;
  /** Whether the process was told to end: it answers what comes, but balancers should send nothing new. */
  readonly isDraining: () => boolean;
  /** Null: nobody counts. */
  readonly metrics: Pick<ApiMetrics, 'observe'> | null;
  /** Whether Temporal answers at all. */
  readonly temporalAnswers: () => Promise<boolean>;
  /** Public keys of the issuer of access tokens. */
  readonly signingKeys: JWTVerifyGetKey;
}
