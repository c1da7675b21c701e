import type { JWTVerifyGetKey } from 'jose';
import type { Pool } from 'pg';
import type { Config } from '../config/config';
import type { EndingToTell } from '../db/buddy-endings';
import type { Vault } from '../db/vault-records';
import type {
  CheckInAnswer,
  CheckInInput,
  CheckInOpened,
  CheckInOpening,
  CheckInTaken,
  Invite,
  InviteAnswer,
  Renewal,
  RenewalAnswer,
  VerificationAnswer,
  VerificationState,
} from '../domain/buddies';
import type { TextedAnswer } from '../domain/check-in-answers';
import type { CallPlan, LegEnded, MentorCallInput, MentorCallResult, TwimlQuestion } from '../domain/mentor-call';
import type { PromptsOf } from '../domain/prompts';
import type { BatchState, MessageBatchInput } from '../domain/message-batch';
import type { MessageInput, MessageReceipt, MessageResult } from '../domain/message';
import type { AlertPlan, AlertQuestion, VoiceAlertInput, VoiceAlertResult } from '../domain/voice-alert';
import type { WebhookUrls } from '../domain/webhook-urls';
import type {
  CloseAlert,
  ContactAnswer,
  ContactAsked,
  WellbeingAlertInput,
  WellbeingResult,
} from '../domain/wellbeing-alert';
import type { SignIn } from '../providers/sign-in';
import type { SnsReader } from '../providers/sns-messages';
import type { RecordingProvider } from '../providers/twilio-recordings';
import type { VoiceProvider } from '../providers/twilio-voice';
import type { VoiceTokens } from '../providers/voice-tokens';
import type { VerificationBegun } from '../temporal/buddy-verification';
import type { MentorCallDescription } from '../temporal/mentor-calls';
import type { MessageDescription } from '../temporal/messages';
import type { VoiceAlertDescription } from '../temporal/voice-alerts';
import type { CallLog } from '../vault/call-log';
import type { CookieSeal } from '../vault/cookie-seal';
import type { Logger } from '../vault/logger';
import type { Tokenizer } from '../vault/tokens';
import type { ApiMetrics } from './metrics';
import type { PartWatch } from './part-watch';

/** What the API asks of the workflows of mentor calls; `temporal/mentor-calls.ts` says what each may throw. */
export interface MentorCallProcess {
  start(input: MentorCallInput): Promise<'running' | 'over'>;
  ask(callId: string, question: TwimlQuestion, updateId: string, deadlineMs: number): Promise<CallPlan>;
  /** Starts a call from the app and asks its first question. */
  begin(input: MentorCallInput, question: TwimlQuestion, updateId: string, deadlineMs: number): Promise<CallPlan>;
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
  tell(batchId: string, what: 'pause' | 'resume' | 'cancel'): Promise<BatchState | 'going-on' | 'over'>;
}

/** What the API asks of the workflows of check-ins; `temporal/check-ins.ts` says what each may throw. */
export interface CheckInProcess {
  begin(input: CheckInInput, country: string): Promise<CheckInOpening>;
  opened(requestId: string, visit: CheckInOpened, deadlineMs: number): Promise<void>;
  respond(requestId: string, answer: CheckInAnswer, updateId: string, deadlineMs: number): Promise<CheckInTaken>;
  texted(answer: TextedAnswer, deadlineMs: number): Promise<'signalled' | 'closed'>;
}

/** What the API tells the workflows of a buddy who is not asked any more; `temporal/buddy-endings.ts` says what it may throw. */
export interface BuddyEndings {
  tell(ending: EndingToTell, deadlineMs: number): Promise<void>;
}

/** What the API asks of the workflows of buddies; `temporal/buddy-verification.ts` says what each may throw. */
export interface BuddyProcess {
  invite(begun: VerificationBegun, invite: Invite, deadlineMs: number): Promise<InviteAnswer>;
  renew(begun: VerificationBegun, renewal: Renewal, deadlineMs: number): Promise<RenewalAnswer>;
  answer(buddyId: string, answer: VerificationAnswer, deadlineMs: number): Promise<VerificationState>;
}

/** What the API asks of the workflows of wellbeing alerts; `temporal/wellbeing-alerts.ts` says what each may throw. */
export interface WellbeingProcess {
  start(input: WellbeingAlertInput): Promise<'running' | 'over'>;
  close(alertId: string, by: CloseAlert['by']): Promise<WellbeingResult | 'over'>;
  confirmEmergency(alertId: string, actor: string): Promise<'confirmed' | 'over' | 'refused'>;
  contactAnswers(asked: ContactAsked, response: ContactAnswer['response']): Promise<'noted' | 'kept' | 'over'>;
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
  readonly checkIns: CheckInProcess;
  readonly buddyEndings: BuddyEndings;
  readonly buddies: BuddyProcess;
  readonly wellbeing: WellbeingProcess;
  readonly voice: Pick<VoiceProvider, 'endCall'>;
  readonly recordings: Pick<RecordingProvider, 'open' | 'read'>;
  /** Null: nobody calls from the app. */
  readonly voiceTokens: VoiceTokens | null;
  readonly urls: WebhookUrls;
  /** What is spoken, by language. */
  readonly promptsOf: PromptsOf;
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
  /** The way in to the pages; null when no client of the issuer is configured. */
  readonly signIn: SignIn | null;
  /** Seals what browsers keep for the pages. */
  readonly cookies: CookieSeal;
}
