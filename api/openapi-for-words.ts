import type { Operation } from './openapi-operations';
import { newPreferences, policyChange, policyList, policyShape, preferencesShape } from './preferences-shapes';
import { listQuery } from './shared-shapes';
import {
  newTemplate,
  previewRequest,
  previewShape,
  templateChange,
  templatePage,
  templateShape,
  versionQuery,
} from './templates-shapes';

const BODY = {
  variables: { where: { type: 'text', maxLength: 60 }, at: { type: 'time' } },
  languages: {
    en: { subject: 'A change of shift', text: 'Your shift at {{where}} begins {{at}}.\n\nReply STOP to opt out.' },
    es: { text: 'Su turno en {{where}} empieza: {{at}}.' },
  },
} as const;
const TEMPLATE = {
  templateId: '5b0e2a51-5a0f-4b58-8a57-7c2f2a1c9e10',
  name: 'shift-change',
  version: 1,
  isBuiltIn: false,
  ...BODY,
  createdAt: '2026-11-21T15:04:05.678Z',
  updatedAt: '2026-11-21T15:04:05.678Z',
} as const;
const ONE_TEMPLATE = { content: { 'application/json': templateShape }, example: TEMPLATE, headers: ['ETag'] } as const;
const REFUSED = [{ channel: 'sms', kind: 'reminder', allowed: false }] as const;
const POLICY = { name: 'emergency-ignores-opt-out', isOn: false, changedAt: '2026-11-21T15:04:05.678Z' } as const;

/** What the organisation says, and what people want to hear of it. */
export const WORDS_OPERATIONS = {
  'POST /templates': {
    id: 'createTemplate',
    tag: 'Templates',
    summary: 'Makes a template',
    description: 'A text may not ask for a word as a reply that would opt the person out or in, such as YES or CANCEL.',
    body: { schema: newTemplate, examples: { 'a change of shift': { name: TEMPLATE.name, ...BODY } } },
    isRepeatable: true,
    answers: {
      201: {
        description: 'Made. Repeated under the same Idempotency-Key: the template as it is now, and no second one.',
        content: { 'application/json': templateShape },
        example: TEMPLATE,
        headers: ['Location', 'ETag'],
      },
    },
    problems: ['template-invalid', 'template-name-taken', 'already-deleted'],
  },
  'GET /templates': {
    id: 'listTemplates',
    tag: 'Templates',
    summary: 'All templates, oldest first',
    query: listQuery,
    answers: {
      200: {
        description: 'A page, each in its newest version.',
        content: { 'application/json': templatePage },
        example: { templates: [TEMPLATE], nextCursor: null },
      },
    },
  },
  'GET /templates/:templateId': {
    id: 'getTemplate',
    tag: 'Templates',
    summary: 'One template, as it is or as it was',
    query: versionQuery,
    answers: { 200: { description: 'The template; ETag names this version of it.', ...ONE_TEMPLATE } },
    problems: ['not-found'],
  },
  'PUT /templates/:templateId': {
    id: 'changeTemplate',
    tag: 'Templates',
    summary: 'Makes a new version of a template',
    description: 'What was asked for before keeps the version it was asked with.',
    body: { schema: templateChange, examples: { 'other words': BODY } },
    isEdit: true,
    answers: { 200: { description: 'Changed; ETag names the new version.', ...ONE_TEMPLATE } },
    problems: ['not-found', 'template-invalid', 'template-built-in'],
  },
  'DELETE /templates/:templateId': {
    id: 'deleteTemplate',
    tag: 'Templates',
    summary: 'Takes a template off the list',
    isEdit: true,
    answers: { 204: { description: 'Gone; what is in flight keeps its words.' } },
    problems: ['not-found', 'template-built-in'],
  },
  'POST /templates/preview': {
    id: 'previewTemplate',
    tag: 'Templates',
    summary: 'Shows what a template, or a draft of one, says',
    description: 'As a text with its segments, spoken, and as an e-mail. Nothing is stored.',
    body: {
      schema: previewRequest,
      examples: {
        'a saved one': {
          name: TEMPLATE.name,
          language: 'en',
          variables: { where: 'the north clinic', at: '2026-11-22T07:30:00-05:00' },
        },
      },
    },
    answers: {
      200: {
        description: 'All its forms.',
        content: { 'application/json': previewShape },
        example: {
          language: 'en',
          text: 'Your shift at the north clinic begins Nov 22, 7:30 AM.\n\nReply STOP to opt out.',
          encoding: 'gsm-7',
          characters: 78,
          segments: 1,
          speech: 'Your shift at the north clinic begins Sunday, November 22 at 7:30 AM.',
          subject: 'A change of shift',
          html: '<!doctype html>…',
        },
      },
    },
    problems: ['not-found', 'template-invalid'],
  },
  'GET /preferences': {
    id: 'getPreferences',
    tag: 'Preferences',
    summary: 'What you want to get, by channel and kind',
    answers: {
      200: {
        description: 'Every channel with every kind; ETag names this version.',
        content: { 'application/json': preferencesShape },
        example: { preferences: REFUSED, stoppedNumbers: [] },
        headers: ['ETag'],
      },
    },
  },
  'PUT /preferences': {
    id: 'replacePreferences',
    tag: 'Preferences',
    summary: 'Says what you want to get',
    description: 'Holds for everything that has not been handed to the provider yet.',
    body: { schema: newPreferences, examples: { 'no reminders by text': { preferences: REFUSED } } },
    isEdit: true,
    answers: {
      200: {
        description: 'Changed; ETag names the new version.',
        content: { 'application/json': preferencesShape },
        example: { preferences: REFUSED, stoppedNumbers: [] },
        headers: ['ETag'],
      },
    },
  },
  'GET /policies': {
    id: 'listPolicies',
    tag: 'Preferences',
    summary: 'Decisions of the organisation about what people are protected from',
    answers: {
      200: {
        description: 'All of them.',
        content: { 'application/json': policyList },
        example: { policies: [POLICY] },
      },
    },
  },
  'PUT /policies/:name': {
    id: 'setPolicy',
    tag: 'Preferences',
    summary: 'Decides one of them',
    description:
      'emergency-ignores-opt-out: messages of class safety go to people who have opted out with us; never past a block of Twilio’s. Off by default. The change and each use are audited.',
    body: { schema: policyChange, examples: { 'in an emergency': { isOn: true } } },
    answers: {
      200: { description: 'As it is now.', content: { 'application/json': policyShape }, example: POLICY },
    },
    problems: ['not-found'],
  },
} as const satisfies Partial<Record<string, Operation>>;
