import { incidentPage, incidentShape, incidentsQuery } from './incidents-shapes';
import type { Operation } from './openapi-operations';

const INCIDENT = {
  incidentId: '3f1c9a52-7d1e-4b52-9a3e-0f6b8c2d4e10',
  kind: 'failure-rate',
  state: 'open',
  summary: 'Too many calls have ended without a mentor. (calls: 20, failed: 3)',
  counts: { calls: 20, failed: 3 },
  about: null,
  raisedAt: '2026-11-21T15:04:05.678Z',
  lastSeenAt: '2026-11-21T15:09:05.678Z',
  closedAt: null,
  acknowledgedAt: null,
  notices: [
    {
      phase: 'firing',
      channel: 'webhook',
      recipient: 1,
      state: 'told',
      attempts: 1,
      lastError: null,
      messageId: null,
    },
  ],
} as const;
const ONE = { content: { 'application/json': incidentShape }, example: INCIDENT } as const;

/** What the watchdog has found. */
export const INCIDENT_OPERATIONS = {
  'GET /incidents': {
    id: 'listIncidents',
    tag: 'Incidents',
    summary: 'What the watchdog has found, newest first',
    query: incidentsQuery,
    answers: {
      200: {
        description: 'A page.',
        content: { 'application/json': incidentPage },
        example: { incidents: [INCIDENT], nextCursor: null },
      },
    },
  },
  'GET /incidents/:incidentId': {
    id: 'getIncident',
    tag: 'Incidents',
    summary: 'One incident, and who was told of it',
    answers: { 200: { description: 'As it is now.', ...ONE } },
    problems: ['not-found'],
  },
  'POST /incidents/:incidentId/acknowledge': {
    id: 'acknowledgeIncident',
    tag: 'Incidents',
    summary: 'Says that somebody looks after it',
    description: 'May be repeated; the first one stays. It goes on, or is over, all the same. Audited.',
    answers: { 200: { description: 'Acknowledged, now or before.', ...ONE } },
    problems: ['not-found'],
  },
} as const satisfies Partial<Record<string, Operation>>;
