/**
 * How an incident goes: seen, raised when it has gone on for long enough, over when it has been calm for long enough.
 * Between the two nobody is told anything twice, however often it comes and goes.
 */
import type { Finding, IncidentKind } from './watchdog-rules';

/** An incident that is not over. */
export interface OpenIncident {
  readonly incidentId: string;
  readonly kind: IncidentKind;
  readonly key: string;
  readonly firstSeenAt: Date;
  /** Null: nobody was told yet. */
  readonly raisedAt: Date | null;
  /** Since when nothing was found any more; null while something is. */
  readonly calmSince: Date | null;
}

/** What to do about one incident. */
export type IncidentStep =
  | { readonly do: 'open'; readonly finding: Finding; readonly isRaised: boolean }
  | { readonly do: 'go-on'; readonly incidentId: string; readonly finding: Finding; readonly isRaised: boolean }
  /** It has begun to be calm. */
  | { readonly do: 'wait'; readonly incidentId: string }
  | { readonly do: 'close'; readonly incidentId: string }
  /** It was over before anybody was told. */
  | { readonly do: 'drop'; readonly incidentId: string };

/** @param calmMs how long nothing may be found before it is over */
export function incidentSteps(
  open: readonly OpenIncident[],
  findings: readonly Finding[],
  now: Date,
  calmMs: number,
): IncidentStep[] {
  const nameOf = ({ kind, key }: { kind: string; key: string }) => `${kind} ${key}`;
  const known = new Map(open.map((incident) => [nameOf(incident), incident]));
  const found = new Set(findings.map(nameOf));
  const since = (then: Date) => now.valueOf() - then.valueOf();
  const going = findings.map((finding): IncidentStep => {
    const incident = known.get(nameOf(finding));
    if (incident === undefined) return { do: 'open', finding, isRaised: finding.holdMs === 0 };
    const isRaised = incident.raisedAt === null && since(incident.firstSeenAt) >= finding.holdMs;
    return { do: 'go-on', incidentId: incident.incidentId, finding, isRaised };
  });
  const calm = open
    .filter((incident) => !found.has(nameOf(incident)))
    .flatMap(({ incidentId, raisedAt, calmSince }): IncidentStep[] => {
      if (raisedAt === null) return [{ do: 'drop', incidentId }];
      if (calmSince === null) return [{ do: 'wait', incidentId }];
      return since(calmSince) >= calmMs ? [{ do: 'close', incidentId }] : [];
    });
  return [...going, ...calm];
}
