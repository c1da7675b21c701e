import type { EscalationParty } from '../domain/escalation-policy';
import type { AlertStanding, REACHED_NOBODY, WellbeingEndReason } from '../domain/wellbeing-alert';
import { badge, formButton, main, more, notice, paragraph, renderSignedIn, rowsOr, section, soft } from './components';
import type { Page } from './layout';
import { STAFF_NAV } from './staff';
import { timeIn } from './times';

/** An alert as this page shows it: how it goes, and nothing of whom it is about or why it began. */
export interface WellbeingLine {
  readonly alertId: string;
  readonly standing: AlertStanding;
  readonly endReason: WellbeingEndReason | null;
  /** Since when it stands so. */
  readonly since: Date;
  /** The newest step that was begun. */
  readonly step: { readonly position: number; readonly who: EscalationParty; readonly of: number } | null;
  /** How many were asked so far. */
  readonly asked: number;
}

/** What a form has come to, as the address of the page says it. */
export const ALERT_DONE = ['confirmed', 'not-waiting', 'closed', 'closed-before', 'not-closed'] as const;
export type AlertDone = (typeof ALERT_DONE)[number];

export interface StaffAlertsView {
  readonly lists: readonly {
    readonly standing: AlertStanding;
    readonly alerts: readonly WellbeingLine[];
    readonly next: string | null;
  }[];
  readonly done: AlertDone | undefined;
  readonly formToken: string;
  readonly privacyPolicyUrl: string | null;
}

const DONE_WORDS: Readonly<Record<AlertDone, string>> = {
  confirmed: 'Confirmed. Those on call are being rung.',
  'not-waiting': 'Nothing was changed: this alert does not wait for anybody any more.',
  closed:
    'Closed. Buddies who have been asked see on their page that it is over; the contact and the wellbeing service are written to, where they were asked in writing.',
  'closed-before': 'Nothing was changed: this alert was over already.',
  'not-closed': 'Not closed yet: this alert goes on. Please try again in a minute.',
};

const LISTS: Readonly<Record<AlertStanding, { title: string; none: string; more: string }>> = {
  'awaiting-human': {
    title: 'Wait for a human',
    none: 'No alert waits for a decision.',
    more: 'More that wait',
  },
  'under-way': { title: 'Under way', none: 'No alert is under way.', more: 'More that are under way' },
  'reached-nobody': {
    title: 'Reached nobody, last seven days',
    none: 'Every alert of the last seven days has reached somebody, or goes on.',
    more: 'Older ones',
  },
};

const PARTIES: Readonly<Record<EscalationParty, string>> = {
  buddies: 'buddies',
  'registered-contact': 'the contact',
  'wellbeing-service': 'the wellbeing service',
  'on-call': 'those on call',
  emergency: 'the emergency step',
};

/** Of alerts that reached nobody; others do not stand here. */
const ENDS: Partial<Record<WellbeingEndReason, string>> = {
  'nobody-answered': 'nobody answered',
  'nobody-to-ask': 'nobody could be asked',
  'workflow-failed': 'a fault of ours',
} satisfies Record<(typeof REACHED_NOBODY)[number], string>;

/** Alerts that need somebody of the organisation, those that wait first, with the two things that staff can do. */
export function renderStaffAlerts({ lists, done, formToken, privacyPolicyUrl }: StaffAlertsView): Page {
  return renderSignedIn({
    title: 'Wellbeing alerts',
    nav: STAFF_NAV,
    here: '/staff/alerts',
    formToken,
    privacyPolicyUrl,
    content: [
      ...(done === undefined ? [] : [notice(DONE_WORDS[done], done === 'not-closed' ? 'bad' : 'plain')]),
      paragraph(
        'Confirming an emergency step rings those on call at once. Closing an alert says that you see to it: buddies who have been asked see on their page that it is over, the contact and the wellbeing service are written to. Whose alert it is you find under its number in your app (GET /api/wellbeing/alerts/{alertId}).',
      ),
      ...lists.map(({ standing, alerts, next }) =>
        section(
          LISTS[standing].title,
          rowsOr(
            LISTS[standing].none,
            alerts.map((alert) => alertRow(alert, formToken)),
          ),
          more(next, LISTS[standing].more),
        ),
      ),
      paragraph('Times are those of UTC. That you have looked at the alerts is kept in the audit trail.', 'soft'),
    ],
  });
}

function alertRow(alert: WellbeingLine, formToken: string): string {
  const { alertId, standing, since } = alert;
  const toClose = { action: `/staff/alerts/${alertId}/close`, label: `I see to it: close alert ${alertId}`, formToken };
  return [
    main(alertId),
    state(alert),
    soft(standing === 'reached-nobody' ? 'ended' : 'since'),
    timeIn('UTC', since),
    soft(progress(alert)),
    standing === 'awaiting-human' ? confirmButton(alertId, formToken) : '',
    standing === 'reached-nobody' ? '' : formButton({ ...toClose, text: 'I see to it: close', look: 'quiet' }),
  ].join('');
}

function confirmButton(alertId: string, formToken: string): string {
  return formButton({
    action: `/staff/alerts/${alertId}/confirm-emergency`,
    text: 'Confirm: ring those on call',
    label: `Confirm: ring those on call for alert ${alertId}`,
    formToken,
  });
}

function state({ standing, endReason }: WellbeingLine): string {
  if (standing === 'awaiting-human') return badge('waits for a human', 'bad');
  if (standing === 'under-way') return badge('under way', 'good');
  return badge((endReason === null ? undefined : ENDS[endReason]) ?? 'reached nobody', 'bad');
}

function progress({ step, asked }: WellbeingLine): string {
  const where = step === null ? 'No step begun' : `Step ${step.position} of ${step.of}: ${PARTIES[step.who]}`;
  return `${where} · ${asked} asked`;
}
