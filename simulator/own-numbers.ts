import { type Fields, one } from './call-parameters';
import { formatForDisplay } from './phone-numbers';
import { fixedSid } from './sids';
import { changedUrls, VOICE_URLS } from './url-fields';
import { rfc2822 } from './webhook-parameters';

type Method = 'GET' | 'POST';

/** One of the organisation's numbers and what Twilio does when it is called. Methods are POST unless named. */
export interface OwnNumber {
  readonly number: string;
  /** Without one, a call to it fails. */
  readonly voiceUrl?: string;
  readonly voiceMethod?: Method;
  readonly voiceFallbackUrl?: string;
  readonly voiceFallbackMethod?: Method;
  readonly statusCallback?: string;
  readonly statusCallbackMethod?: Method;
  /** Without one, a text to it is kept and nobody is told. */
  readonly smsUrl?: string;
  readonly smsMethod?: Method;
  /** What it can do. Default: both. */
  readonly capabilities?: { readonly voice: boolean; readonly sms: boolean };
}

interface Listed extends OwnNumber {
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The fields of an update, with the code by which Twilio refuses a URL that is none. */
const URLS = [...VOICE_URLS, { key: 'smsUrl', methodKey: 'smsMethod', name: 'SmsUrl', code: 21716 }] as const;

/** The account's IncomingPhoneNumbers. Changes last as long as the process: the next start reads its environment. */
export class OwnNumbers {
  private readonly listed: Map<string, Listed>;

  constructor(
    private readonly accountSid: string,
    numbers: readonly OwnNumber[],
  ) {
    const now = new Date();
    this.listed = new Map(numbers.map((own) => [own.number, { ...own, createdAt: now, updatedAt: now }]));
  }

  find(number: string): OwnNumber | null {
    return this.listed.get(number) ?? null;
  }

  /** What a number can do from now on. @returns whether the account has it */
  setCapabilities(number: string, capabilities: { readonly voice: boolean; readonly sms: boolean }): boolean {
    const own = this.listed.get(number);
    if (own) this.listed.set(number, { ...own, capabilities });
    return own !== undefined;
  }

  /** As `GET IncomingPhoneNumbers` finds them: `PhoneNumber` may be a part of the number. */
  search(fields: Fields): readonly Readonly<Record<string, unknown>>[] {
    const [part, name] = [one(fields, 'PhoneNumber'), one(fields, 'FriendlyName')];
    return [...this.listed.values()]
      .filter(({ number }) => part === undefined || number.includes(part))
      .filter(({ number }) => name === undefined || formatForDisplay(number) === name)
      .map((own) => this.resource(own));
  }

  /** @returns null when the account has no such number */
  read(sid: string): Readonly<Record<string, unknown>> | null {
    const own = this.bySid(sid);
    return own === null ? null : this.resource(own);
  }

  /** @returns null when the account has no such number. @throws ApiError 400 for a URL or method that is none */
  update(sid: string, fields: Fields): Readonly<Record<string, unknown>> | null {
    const own = this.bySid(sid);
    if (own === null) return null;
    const updated = { ...own, ...changedUrls(fields, URLS), updatedAt: new Date() };
    this.listed.set(own.number, updated);
    return this.resource(updated);
  }

  private bySid(sid: string): Listed | null {
    return [...this.listed.values()].find(({ number }) => fixedSid('PN', number) === sid) ?? null;
  }

  private resource(own: Listed): Readonly<Record<string, unknown>> {
    const sid = fixedSid('PN', own.number);
    return {
      sid,
      account_sid: this.accountSid,
      phone_number: own.number,
      friendly_name: formatForDisplay(own.number),
      date_created: rfc2822(own.createdAt),
      date_updated: rfc2822(own.updatedAt),
      voice_url: own.voiceUrl ?? null,
      voice_method: own.voiceMethod ?? 'POST',
      voice_fallback_url: own.voiceFallbackUrl ?? null,
      voice_fallback_method: own.voiceFallbackMethod ?? 'POST',
      status_callback: own.statusCallback ?? null,
      status_callback_method: own.statusCallbackMethod ?? 'POST',
      sms_url: own.smsUrl ?? null,
      sms_method: own.smsMethod ?? 'POST',
      ...UNCHANGEABLE,
      capabilities: { voice: true, sms: true, ...own.capabilities, mms: false, fax: false },
      uri: `/2010-04-01/Accounts/${this.accountSid}/IncomingPhoneNumbers/${sid}.json`,
    };
  }
}

/** What Twilio shows besides, and nothing here uses. */
const UNCHANGEABLE = {
  address_sid: null,
  address_requirements: 'none',
  api_version: '2010-04-01',
  beta: false,
  bundle_sid: null,
  emergency_address_sid: null,
  emergency_address_status: 'unregistered',
  emergency_status: 'Inactive',
  identity_sid: null,
  origin: 'twilio',
  sms_application_sid: null,
  sms_fallback_method: 'POST',
  sms_fallback_url: null,
  status: 'in-use',
  trunk_sid: null,
  type: 'local',
  voice_application_sid: null,
  voice_caller_id_lookup: false,
  voice_receive_mode: 'voice',
} as const;
