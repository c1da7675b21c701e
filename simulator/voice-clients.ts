import type { DocumentRequest, Leg, LegOptions } from './leg';
import type { TwimlApps } from './twiml-apps';
import { checkVoiceToken, type VoiceGrant, VoiceTokenRefused } from './voice-tokens';

/** What the clients need of the network. */
interface Network {
  readonly accountSid: string;
  readonly apps: TwimlApps;
  addLeg(options: LegOptions): Leg;
  answerBy(leg: Leg, document: DocumentRequest | null): void;
  label(number: string, label: string): void;
}

/** What a phone of an app is called here: its calls come from there, and the page shows it so. */
export function clientNumber(identity: string): string {
  return `client:${identity}`;
}

export function isClient(number: string): boolean {
  return /^client:[\w.@+-]{1,121}$/.test(number);
}

/** Plays Voice SDKs: apps that call through a TwiML app, without any phone number. */
export class VoiceClients {
  constructor(
    private readonly network: Network,
    private readonly apiKeys: Readonly<Record<string, string>>,
  ) {}

  /** A device signs in to be called. @throws VoiceTokenRefused also when the token does not allow it */
  async register(token: string): Promise<VoiceGrant> {
    const grant = await this.check(token);
    if (!grant.mayBeCalled) throw new VoiceTokenRefused(20106, 'The token does not allow incoming calls');
    this.network.label(clientNumber(grant.identity), 'App');
    return grant;
  }

  /**
   * `device.connect({ params })`: the call goes to the TwiML app of the token, with what the app sends along as fields.
   * @throws VoiceTokenRefused when the token is no good, or allows no calls
   */
  async call(token: string, params: Readonly<Record<string, string>>): Promise<Leg> {
    const { identity, applicationSid, params: signed } = await this.check(token);
    const app = applicationSid === null ? null : this.network.apps.find(applicationSid);
    if (app === null) throw new VoiceTokenRefused(20106, 'The token names no TwiML app of this account');
    const from = clientNumber(identity);
    this.network.label(from, 'App');
    const { voiceUrl, voiceFallbackUrl, statusCallback } = app;
    const callback = { url: statusCallback ?? '', method: app.statusCallbackMethod ?? 'POST' };
    const leg = this.network.addLeg({
      direction: 'inbound',
      to: params.To ?? '',
      from,
      // The application's own status callback reports the end only.
      ...(statusCallback === undefined ? {} : { statusCallback: { ...callback, events: new Set(['completed']) } }),
      ...(voiceFallbackUrl === undefined
        ? {}
        : { fallback: { url: voiceFallbackUrl, method: app.voiceFallbackMethod ?? 'POST' } }),
    });
    const sent = { ...params, ...signed, ApplicationSid: app.sid };
    this.network.answerBy(
      leg,
      voiceUrl === undefined
        ? null
        : { url: voiceUrl, method: app.voiceMethod ?? 'POST', params: ownFieldsFirst(sent) },
    );
    return leg;
  }

  private check(token: string): Promise<VoiceGrant> {
    return checkVoiceToken(token, { accountSid: this.network.accountSid, apiKeys: this.apiKeys });
  }
}

/** Fields by which Twilio says who calls: an app that sends one of these names does not get through with it. */
const TWILIOS_OWN: ReadonlySet<string> = new Set([
  'AccountSid',
  'ApiVersion',
  'CallSid',
  'CallStatus',
  'Caller',
  'Direction',
  'From',
]);

function ownFieldsFirst(params: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(params).filter(([name]) => !TWILIOS_OWN.has(name)));
}
