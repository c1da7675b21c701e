import { listIncidents } from '../db/incidents';
import { lineStates } from '../db/provider-lines';
import { mentorsOnShift, shiftsWithin, zonesOfMentors } from '../db/mentors-on-shift';
import { switchStates } from '../db/switches';
import { isIanaZone } from '../domain/availability';
import { sentenceOf, severityOf } from '../domain/incident-words';
import { union, without } from '../domain/shifts';
import type { IncidentKind } from '../domain/watchdog-rules';
import type { AlertStanding } from '../domain/wellbeing-alert';
import type { AttentionLine } from '../web/staff';
import { countStanding } from '../db/wellbeing-standings';
import type { ApiDeps } from './deps';

/** Milliseconds. */
const DAY = 24 * 3_600_000;
const COVERAGE_DAYS = 7;
const INCIDENTS = 20;

export interface Coverage {
  readonly onShift: number;
  /** Of those on shift: how many can take a call now. */
  readonly free: number;
  /** When in the next seven days nobody is on shift. */
  readonly gaps: readonly { readonly starts: Date; readonly ends: Date }[];
  /** IANA, of the mentors who are switched on. */
  readonly zones: readonly string[];
}

/** Who can be rung, now and in the next days, by the hours of everybody who is switched on. */
export async function coverage({ pool }: Pick<ApiDeps, 'pool'>, now: Date): Promise<Coverage> {
  const until = new Date(now.getTime() + COVERAGE_DAYS * DAY);
  const onShift = await mentorsOnShift(pool, now);
  const shifts = await shiftsWithin(pool, { from: now, until });
  const gaps = without([{ from: now.getTime(), until: until.getTime() }], union(shifts));
  return {
    onShift: onShift.length,
    free: onShift.filter(({ freePlaces }) => freePlaces > 0).length,
    gaps: gaps.map((gap) => ({ starts: new Date(gap.from), ends: new Date(gap.until) })),
    zones: await zonesOfMentors(pool),
  };
}

const LINE_NAMES = { twilio: 'Twilio takes no calls and texts from us', mail: 'No e-mail can be sent' } as const;
const SWITCH_NAMES = { voice: 'Calls are', sms: 'Texts are', email: 'E-mail is' } as const;

/** The overview says them itself, and sooner: a line in its own words, alerts with how many there are. */
const SAID_ALREADY: readonly IncidentKind[] = ['line-stopped', 'alert-awaits-human', 'alert-reached-nobody'];

/** What somebody should look at, the worst first. */
export async function attention(
  { pool, config }: Pick<ApiDeps, 'pool' | 'config'>,
  { onShift, free }: Pick<Coverage, 'onShift' | 'free'>,
): Promise<AttentionLine[]> {
  const [lines, switches] = [await lineStates(pool), await switchStates(pool)];
  const { rows: incidents } = await listIncidents(pool, { isOpen: true, without: SAID_ALREADY, limit: INCIDENTS });
  return [
    ...(await alertsOf(pool, 'awaiting-human', 'Wellbeing alerts that wait for a human')),
    ...(await alertsOf(pool, 'reached-nobody', 'Wellbeing alerts of the last day that reached nobody')),
    ...lines
      .filter(({ stoppedAt }) => stoppedAt !== null)
      .map(({ line, stoppedAt, code }) => ({
        text: `${LINE_NAMES[line]}${code === null ? '' : ` (${code})`}`,
        since: stoppedAt,
        tone: 'bad' as const,
      })),
    ...incidents.map((incident) => ({
      text: sentenceOf(incident),
      since: incident.raisedAt,
      href: `/staff/incidents/${incident.incidentId}`,
      tone: severityOf(incident.kind) === 'critical' ? ('bad' as const) : ('plain' as const),
    })),
    ...(onShift === 0 ? [{ text: 'No mentor is on shift', since: null, tone: 'bad' as const }] : []),
    ...(onShift > 0 && free === 0
      ? [{ text: 'Every mentor on shift is in a call', since: null, tone: 'bad' as const }]
      : []),
    ...switches
      .filter(({ name, isOn }) => config.enabled[name] && !isOn)
      .map(({ name, changedAt }) => ({
        text: `${SWITCH_NAMES[name]} switched off`,
        since: changedAt,
        tone: 'plain' as const,
      })),
  ];
}

/** One line for all that stand so; none for none. */
async function alertsOf(pool: ApiDeps['pool'], standing: AlertStanding, what: string): Promise<AttentionLine[]> {
  const { count, since } = await countStanding(pool, standing);
  return count === 0 ? [] : [{ text: `${what}: ${count}`, since, tone: 'bad', href: '/staff/alerts' }];
}

/** The zone that somebody has chosen, when it is one. */
export function chosenZone(asked: unknown): string {
  return typeof asked === 'string' && asked.length <= 64 && isIanaZone(asked) ? asked : 'UTC';
}
