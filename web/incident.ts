import { badge, card, formButton, link, main, paragraph, renderSignedIn, rowsOr, section } from './components';
import type { Page } from './layout';
import { STAFF_NAV } from './staff';
import { timeIn } from './times';

export interface IncidentView {
  readonly incidentId: string;
  readonly summary: string;
  /** Null where it is about nobody, or this person may not know. */
  readonly about: { readonly what: string; readonly id: string } | null;
  readonly raisedAt: Date;
  readonly lastSeenAt: Date;
  readonly closedAt: Date | null;
  readonly acknowledgedAt: Date | null;
  readonly formToken: string;
  readonly privacyPolicyUrl: string | null;
}

/** One incident: what is wrong, since when, and whether somebody looks after it. Times are UTC, as in the alert. */
export function renderIncident(view: IncidentView): Page {
  const { incidentId, summary, about, acknowledgedAt, closedAt, formToken, privacyPolicyUrl } = view;
  const times: readonly (readonly [string, Date | null])[] = [
    ['Began', view.raisedAt],
    ['Last found', view.lastSeenAt],
    ['Acknowledged', acknowledgedAt],
    ['Over', closedAt],
  ];
  const rows = times.flatMap(([what, at]) => (at === null ? [] : [`${main(what)}${timeIn('UTC', at)}`]));
  return renderSignedIn({
    title: 'Incident',
    nav: STAFF_NAV,
    here: '/staff/incidents',
    formToken,
    privacyPolicyUrl,
    content: [
      card(
        closedAt === null ? 'Goes on' : 'Is over',
        paragraph(summary),
        ...(about === null ? [] : [`<p>${badge(about.what.replaceAll('-', ' '))} ${main(about.id)}</p>`]),
        acknowledgedAt === null
          ? formButton({
              action: `/staff/incidents/${incidentId}/acknowledge`,
              text: 'I look after it',
              formToken,
            })
          : paragraph('Somebody looks after it.'),
        ...(about?.what === 'alert'
          ? [`<p class="more">${link({ href: '/staff/alerts', text: 'To the wellbeing alerts' })}</p>`]
          : []),
      ),
      section('When', rowsOr('', rows), paragraph('Times are those of UTC.', 'soft')),
      `<p class="more">${link({ href: '/staff', text: 'Back to the overview' })}</p>`,
    ],
  });
}
