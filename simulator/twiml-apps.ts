import type { Fields } from './call-parameters';
import { changedUrls, VOICE_URLS } from './url-fields';
import { rfc2822 } from './webhook-parameters';

type Method = 'GET' | 'POST';

/** What Twilio does when a Voice SDK calls. Methods are POST unless named. */
export interface TwimlApp {
  /** `AP` and 32 hex digits. */
  readonly sid: string;
  /** Without one, a call to it fails. */
  readonly voiceUrl?: string;
  readonly voiceMethod?: Method;
  readonly voiceFallbackUrl?: string;
  readonly voiceFallbackMethod?: Method;
  readonly statusCallback?: string;
  readonly statusCallbackMethod?: Method;
}

/** The account's Applications. Changes last as long as the process, as those of its numbers do. */
export class TwimlApps {
  private readonly bySid: Map<string, TwimlApp>;
  private readonly startedAt = new Date();

  constructor(
    private readonly accountSid: string,
    apps: readonly TwimlApp[],
  ) {
    this.bySid = new Map(apps.map((app) => [app.sid, app]));
  }

  find(sid: string): TwimlApp | null {
    return this.bySid.get(sid) ?? null;
  }

  /** @returns null when the account has no such application */
  read(sid: string): Readonly<Record<string, unknown>> | null {
    const app = this.bySid.get(sid);
    return app === undefined ? null : this.resource(app);
  }

  /** @returns null when the account has no such application. @throws ApiError 400 for a URL or method that is none */
  update(sid: string, fields: Fields): Readonly<Record<string, unknown>> | null {
    const app = this.bySid.get(sid);
    if (app === undefined) return null;
    const updated = { ...app, ...changedUrls(fields, VOICE_URLS) };
    this.bySid.set(sid, updated);
    return this.resource(updated);
  }

  private resource(app: TwimlApp): Readonly<Record<string, unknown>> {
    return {
      sid: app.sid,
      account_sid: this.accountSid,
      api_version: '2010-04-01',
      friendly_name: 'Simulated app',
      date_created: rfc2822(this.startedAt),
      date_updated: rfc2822(this.startedAt),
      voice_url: app.voiceUrl ?? null,
      voice_method: app.voiceMethod ?? 'POST',
      voice_fallback_url: app.voiceFallbackUrl ?? null,
      voice_fallback_method: app.voiceFallbackMethod ?? 'POST',
      status_callback: app.statusCallback ?? null,
      status_callback_method: app.statusCallbackMethod ?? 'POST',
      voice_caller_id_lookup: false,
      message_status_callback: null,
      sms_url: null,
      sms_method: 'POST',
      sms_fallback_url: null,
      sms_fallback_method: 'POST',
      sms_status_callback: null,
      public_application_connect_enabled: false,
      uri: `/2010-04-01/Accounts/${this.accountSid}/Applications/${app.sid}.json`,
    };
  }
}
