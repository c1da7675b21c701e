import type { Pool } from 'pg';
import type { KindlineClient } from '../temporal/connection';
import type { CallLog } from '../vault/call-log';
import type { Logger } from '../vault/logger';
import type { Config } from '../config/config';
import type { RequestLimits } from '../db/calls';
import type { Vault } from '../db/vault-records';
import type { CheckpointStore } from '../domain/audit-checkpoint';
import type { RetentionPeriods } from '../domain/retention';
import type { RecipientLimits } from '../domain/recipient-limits';
import type { WebhookUrls } from '../domain/webhook-urls';
import type { ConfiguredSwitches } from '../db/switches';
import type { MessagingProvider } from '../providers/twilio-messages';
import type { AlertWebhook } from '../providers/alert-webhook';
import type { AppWebhook } from '../providers/app-webhook';
import type { RecordingProvider } from '../providers/twilio-recordings';
import type { InsightsProvider } from '../providers/twilio-insights';
import type { VoiceProvider } from '../providers/twilio-voice';
import type { MailParts } from './send-mail';
import type { ServiceKeys } from '../vault/service-keys';
import type { Tokenizer } from '../vault/tokens';

/** What activities are made of; built by the worker's entry point, replaced piece by piece in tests. */
export interface ActivityDependencies {
  readonly pool: Pool;
  readonly vault: Vault;
  readonly voice: VoiceProvider;
  readonly recordings: RecordingProvider;
  readonly messaging: MessagingProvider;
  readonly mail: MailParts;
  /** `TWILIO_MESSAGING_SERVICE_SID`; null: texts go out from our numbers. */
  readonly messagingServiceSid: string | null;
  readonly urls: WebhookUrls;
  /** For sweeps: is the owner of a row still running? */
  readonly temporal: KindlineClient;
  readonly logger: Logger;
  readonly callLog: CallLog;
  readonly dispatch: Config['dispatch'];
  /** As configured; the claiming statement also asks what staff have switched off. */
  readonly enabled: ConfiguredSwitches;
  readonly whenSwitchedOff: Config['whenSwitchedOff'];
  readonly lineProbeIntervalMs: number;
  /** `PRIVACY_POLICY_URL`. */
  readonly privacyPolicyUrl: string | null;
  /** ISO 3166; nothing is texted anywhere else. */
  readonly allowedCountries: readonly string[];
  readonly limits: RequestLimits;
  /** Quiet hours, and how long the provider may take to tell what became of a message. */
  readonly messages: Config['messages'];
  /** For `recipientWaitMs`. */
  readonly recipientLimits: RecipientLimits;
  /** How often and how long phones are rung for an alert that does not say so itself. */
  readonly voiceAlert: Config['voiceAlert'];
  /** Our numbers, E.164, in the order of configuration. */
  readonly phoneNumbers: readonly string[];
  /** Which scorer puts mentors in order, and the points of the default one. */
  readonly matching: Config['matching'];
  /** How often buddies are asked, and for how long. */
  readonly buddies: Config['buddies'];
  /** Whom alerts end at, and how far apart they are. */
  readonly wellbeing: Config['wellbeing'];
  /** `FALLBACK_CRISIS_NUMBER`. */
  readonly crisisOverride: string | null;
  /** The keys of the chain and its checkpoints; the API has them not. */
  readonly auditKeys: ServiceKeys;
  readonly checkpoints: CheckpointStore;
  /** Null: no app is told. */
  readonly appWebhook: AppWebhook | null;
  readonly watchdog: Pick<Config['watchdog'], 'windowMs' | 'calmMs' | 'limits' | 'emails'>;
  /** Null: incidents are told by e-mail only, or to nobody. */
  readonly alertWebhook: AlertWebhook | null;
  readonly tokenizer: Tokenizer;
  /** Null: Voice Insights is not asked. */
  readonly insights: InsightsProvider | null;
  /** `CALL_MAX_DURATION`. */
  readonly maxDurationMs: number;
  /** How long Twilio keeps its records of our calls, ms. */
  readonly callRetentionMs: number;
  /** How long things are kept, ms. */
  readonly retention: RetentionPeriods;
  /** A clock that no adjustment of the system time moves, ms. */
  readonly monotonicMs: () => number;
}
