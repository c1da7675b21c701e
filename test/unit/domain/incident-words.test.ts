import { alertmanagerBody, sentenceOf, severityOf, type ToldIncident } from '../../../domain/incident-words';
import { INCIDENT_KINDS, type IncidentKind } from '../../../domain/watchdog-rules';

const INCIDENT: ToldIncident = {
  incidentId: '3f1c9a52-7d1e-4b52-9a3e-0f6b8c2d4e10',
  kind: 'user-calls',
  counts: { calls: 7 },
  raisedAt: new Date('2026-11-21T15:04:05.678Z'),
  closedAt: null,
};

test('every kind has a sentence, and counts follow it', () => {
  for (const kind of INCIDENT_KINDS) expect(sentenceOf({ kind, counts: {} })).toMatch(/^[A-Z].*\.$/);
  expect(sentenceOf(INCIDENT)).toBe('One user has asked for calls unusually often. (calls: 7)');
});

test('what leaves people without anybody is critical', () => {
  expect(INCIDENT_KINDS.filter((kind) => severityOf(kind) === 'critical')).toEqual([
    'nobody-available',
    'line-stopped',
    'alert-awaits-human',
    'alert-reached-nobody',
  ]);
});

test('who is told of an alert reads where to look and what to do', () => {
  const told = (kind: IncidentKind) => sentenceOf({ kind, counts: { alerts: 2 } });
  expect(told('alert-awaits-human')).toMatch(/confirms .* closes .* at \/staff\/alerts\. \(alerts: 2\)$/);
  expect(told('alert-reached-nobody')).toMatch(/\/staff\/alerts .* get in touch\. \(alerts: 2\)$/);
});

test('a webhook reads as one of Alertmanager’s, version 4', () => {
  const body: unknown = JSON.parse(alertmanagerBody(INCIDENT, 'firing', 'https://api.example.org'));
  expect(body).toEqual({
    version: '4',
    groupKey: `{}:{incident="${INCIDENT.incidentId}"}`,
    truncatedAlerts: 0,
    status: 'firing',
    receiver: 'kindline',
    groupLabels: { incident: INCIDENT.incidentId },
    commonLabels: {
      alertname: 'KindlineUserCalls',
      severity: 'warning',
      service: 'kindline',
      incident: INCIDENT.incidentId,
    },
    commonAnnotations: { summary: sentenceOf(INCIDENT) },
    externalURL: 'https://api.example.org',
    alerts: [
      {
        status: 'firing',
        labels: expect.objectContaining({ alertname: 'KindlineUserCalls' }),
        annotations: { summary: sentenceOf(INCIDENT) },
        startsAt: '2026-11-21T15:04:05.678Z',
        endsAt: '0001-01-01T00:00:00Z',
        generatorURL: `https://api.example.org/staff/incidents/${INCIDENT.incidentId}`,
        fingerprint: '3f1c9a527d1e4b52',
      },
    ],
  });
});

test('its end has the same fingerprint and the time of its end', () => {
  const over = { ...INCIDENT, closedAt: new Date('2026-11-21T16:00:00.000Z') };
  expect(JSON.parse(alertmanagerBody(over, 'resolved', 'https://api.example.org'))).toMatchObject({
    status: 'resolved',
    alerts: [{ status: 'resolved', endsAt: '2026-11-21T16:00:00.000Z', fingerprint: '3f1c9a527d1e4b52' }],
  });
});
