import { z } from 'zod';
import { healthBody, readyBody } from './health';
import type { Operation } from './openapi-operations';
import { problemCatalogue, problemEntry } from './problem-shapes';

const PART = { state: 'up', checkedAt: '2026-11-21T15:04:05.678Z', ageSeconds: 0 };
const PAGE = { description: 'A page for people.', content: { 'text/html': null } } as const;
const NOT_ANY_MORE = { ...PAGE, description: 'There is no such link, or not any more.' } as const;
const PROBLEM = {
  type: 'https://api.example.org/problems/not-found',
  code: 'not-found',
  status: 404,
  title: 'Not found',
  hint: 'Check the address. What belongs to somebody else is not found either.',
};

/** What the service says about itself, to anybody. */
export const SERVICE_OPERATIONS = {
  'GET /': { id: 'home', tag: 'Service', summary: 'What is running here', answers: { 200: PAGE } },
  'GET /docs': { id: 'docs', tag: 'Service', summary: 'This document, to read and to try', answers: { 200: PAGE } },
  'GET /docs/:asset': {
    id: 'docsAsset',
    tag: 'Service',
    summary: 'A file of that page',
    answers: { 200: { description: 'The file.', content: { 'text/css': null, 'text/javascript': null } } },
    problems: ['not-found'],
  },
  'GET /openapi.json': {
    id: 'openapi',
    tag: 'Service',
    summary: 'This document',
    answers: {
      200: {
        description: 'OpenAPI 3.1.',
        content: { 'application/json': z.looseObject({ openapi: z.literal('3.1.1') }) },
      },
    },
  },
  'GET /health': {
    id: 'health',
    tag: 'Service',
    summary: 'How the parts are',
    description: '200 while a person on the phone can be answered, whatever else is down.',
    answers: {
      200: {
        description: 'The state of each part, and how old that knowledge is.',
        content: { 'application/json': healthBody },
        example: {
          status: 'ok',
          parts: { postgres: PART, temporal: PART, kms: PART, twilio: PART },
          stoppedLines: [],
          voiceEnabled: true,
          smsEnabled: true,
          emailEnabled: true,
          standIns: false,
          sweeps: { retention: { lastSuccessAt: '2026-11-21T03:04:05.678Z', staleSince: null } },
        },
      },
    },
  },
  'GET /health/ready': {
    id: 'ready',
    tag: 'Service',
    summary: 'Whether new requests should be sent to this process, for balancers',
    answers: {
      200: {
        description: 'Yes.',
        content: { 'application/json': readyBody },
        example: { status: 'ready', because: [] },
      },
      503: {
        description: 'No, and why.',
        content: { 'application/json': readyBody },
        example: { status: 'not-ready', because: ['draining'] },
      },
    },
  },
  'GET /problems': {
    id: 'listProblems',
    tag: 'Service',
    summary: 'Everything that can go wrong, and what helps',
    answers: {
      200: {
        description: 'The catalogue, as JSON or as a page, as `Accept` says.',
        content: { 'application/json': problemCatalogue, 'text/html': null },
        example: { problems: [PROBLEM] },
      },
    },
  },
  'GET /problems/:code': {
    id: 'getProblem',
    tag: 'Service',
    summary: 'What the type of a problem leads to',
    answers: {
      200: {
        description: 'As JSON or as a page, as `Accept` says.',
        content: { 'application/json': problemEntry, 'text/html': null },
        example: PROBLEM,
      },
    },
    problems: ['not-found'],
  },
  'GET /unsubscribe/:token': {
    id: 'unsubscribePage',
    tag: 'Pages',
    summary: 'Asks whether somebody wants no more e-mail',
    description: 'The link of an e-mail; opening it changes nothing.',
    answers: { 200: PAGE, 404: NOT_ANY_MORE },
  },
  'POST /unsubscribe/:token': {
    id: 'unsubscribe',
    tag: 'Pages',
    summary: 'Nothing more is sent to the address that has this link; `?undo=1` takes it back',
    description: 'RFC 8058: mail programs post here when their reader unsubscribes. May be repeated.',
    answers: { 200: PAGE, 404: NOT_ANY_MORE },
  },
} as const satisfies Partial<Record<string, Operation>>;
