import { staleHelplines } from '../../domain/helplines';
import { createWebhookUrls } from '../../domain/webhook-urls';
import { stripOverrides } from '../../domain/connection-overrides';
import { fail, type Finding, ok, type Patient, reasonOf, warn } from './finding';
import { asked } from './web';

/** What Twilio runs when nothing of ours answers: is it there, for callers and for each country we call? */
export async function fallbackCheck({ config }: Patient): Promise<readonly Finding[]> {
  const check = 'fallback documents';
  const urls = createWebhookUrls(config.twilio.webhookBaseUrl, config.twilio.voiceFallbackUrl);
  const how = 'npm run fallback-twiml -- --out DIR writes them; put them on a static host of another provider.';
  if (urls.fallback('default') === null) {
    return [warn(check, 'While everything of ours is down, callers hear an error.', `Set VOICE_FALLBACK_URL. ${how}`)];
  }
  const countries = ['default', ...config.limits.allowedCountries];
  const wrong: string[] = [];
  for (const country of countries) {
    const url = stripOverrides(urls.fallback(country) ?? '');
    const problem = await documentProblem(url);
    if (problem !== null) wrong.push(`${country} (${problem})`);
  }
  if (wrong.length > 0) return [fail(check, `Twilio could not run ${wrong.join(', ')}.`, how)];
  return [ok(check, `All ${countries.length} are there: ${countries.join(', ')}.`)];
}

async function documentProblem(url: string): Promise<string | null> {
  try {
    const answer = await asked(url);
    if (answer.status !== 200) return `HTTP ${answer.status}`;
    if (!/xml/.test(answer.headers.get('content-type') ?? '')) return 'not served as text/xml';
    return (await answer.text()).includes('<Response>') ? null : 'no TwiML';
  } catch (error) {
    return reasonOf(error);
  }
}

/** @param now for tests */
export function helplinesCheck(now: Date = new Date()): readonly Finding[] {
  const stale = staleHelplines(now);
  if (stale.length === 0) return [ok('helplines', 'Every helpline was compared with its source within a year.')];
  return [
    warn(
      'helplines',
      `Not compared with their source for over a year: ${stale.join(', ')}.`,
      'Call or read the source of each in domain/helplines-table.ts, and write down the day.',
    ),
  ];
}
