/**
 * What is told of an incident outside the service: the kind, counts and a sentence. Never whom it is about: an alert goes
 * through mailboxes and chat rooms, and the incident's own page says the rest to those who may know.
 */
import type { IncidentKind } from './watchdog-rules';

/** Begun, or over. */
export const INCIDENT_PHASES = ['firing', 'resolved'] as const;
export type IncidentPhase = (typeof INCIDENT_PHASES)[number];

/** An incident as far as it may be told. */
export interface ToldIncident {
  readonly incidentId: string;
  readonly kind: IncidentKind | 'test';
  readonly counts: Readonly<Record<string, number>>;
  readonly raisedAt: Date;
  readonly closedAt: Date | null;
}

const SENTENCES: Readonly<Record<ToldIncident['kind'], string>> = {
  'nobody-available': 'No mentor can be rung at the moment; who asks is led to a helpline.',
  'failure-rate': 'Too many calls have ended without a mentor.',
  'user-calls': 'One user has asked for calls unusually often.',
  'short-calls': 'Several conversations of one mentor ended almost at once.',
  'accounts-to-one-number': 'Several accounts have had the same number rung.',
  'accounts-to-one-buddy': 'Several accounts name the same person as their buddy.',
  'provider-errors':
    'Twilio refuses or filters what is sent, for a reason that somebody has to mend, or does not answer.',
  'line-stopped': 'A provider takes nothing from us: the account is suspended, or not authenticated.',
  'alert-awaits-human':
    'A wellbeing alert waits for a human: nothing happens until somebody confirms its emergency step, or closes it, at /staff/alerts.',
  'alert-reached-nobody':
    'A wellbeing alert has ended and reached nobody: see at /staff/alerts which one, and have somebody get in touch.',
  'retention-stale':
    'What is over its time has not been deleted for two days: the retention sweep does not come to its end.',
  test: 'This is a test: nothing is wrong.',
};

/** Somebody is left without anybody. */
const CRITICAL: readonly ToldIncident['kind'][] = [
  'nobody-available',
  'line-stopped',
  'alert-awaits-human',
  'alert-reached-nobody',
];

/** Somebody has to act at once, or should look. */
export function severityOf(kind: ToldIncident['kind']): 'critical' | 'warning' | 'none' {
  if (kind === 'test') return 'none';
  return CRITICAL.includes(kind) ? 'critical' : 'warning';
}

/** What has happened, with the counts behind it: `Too many calls … (calls: 20, failed: 3)`. */
export function sentenceOf({ kind, counts }: Pick<ToldIncident, 'kind' | 'counts'>): string {
  const numbers = Object.entries(counts).map(([name, count]) => `${name}: ${count}`);
  return numbers.length === 0 ? SENTENCES[kind] : `${SENTENCES[kind]} (${numbers.join(', ')})`;
}

/**
 * The body of a webhook as Alertmanager sends it, version 4
 * (https://prometheus.io/docs/alerting/latest/configuration/#webhook_config). A receiver knows an alert by its
 * fingerprint: the same told twice is one.
 * @param externalUrl of this service
 */
export function alertmanagerBody(incident: ToldIncident, phase: IncidentPhase, externalUrl: string): string {
  const labels = {
    alertname: `Kindline${camel(incident.kind)}`,
    severity: severityOf(incident.kind),
    service: 'kindline',
    incident: incident.incidentId,
  };
  const annotations = { summary: sentenceOf(incident) };
  const generatorURL = incidentUrl(externalUrl, incident.incidentId);
  return JSON.stringify({
    version: '4',
    groupKey: `{}:{incident="${incident.incidentId}"}`,
    truncatedAlerts: 0,
    status: phase,
    receiver: 'kindline',
    groupLabels: { incident: incident.incidentId },
    commonLabels: labels,
    commonAnnotations: annotations,
    externalURL: externalUrl,
    alerts: [
      {
        status: phase,
        labels,
        annotations,
        startsAt: incident.raisedAt.toISOString(),
        // Go's zero time, as Alertmanager writes it while an alert goes on.
        endsAt: incident.closedAt?.toISOString() ?? '0001-01-01T00:00:00Z',
        generatorURL,
        fingerprint: incident.incidentId.replaceAll('-', '').slice(0, 16),
      },
    ],
  });
}

/** Where somebody who may know more finds it: a page, because whoever gets an alert clicks. */
export function incidentUrl(publicBaseUrl: string, incidentId: string): string {
  return `${publicBaseUrl}/staff/incidents/${incidentId}`;
}

function camel(kind: string): string {
  return kind.replaceAll(/(^|-)([a-z])/g, (_all, _dash, letter: string) => letter.toUpperCase());
}
