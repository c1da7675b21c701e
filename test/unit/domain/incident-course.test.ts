import fc from 'fast-check';
import { incidentSteps, type IncidentStep, type OpenIncident } from '../../../domain/incident-course';
import type { Finding } from '../../../domain/watchdog-rules';

const CALM = 300_000;
const finding = (holdMs = 0): Finding => ({ kind: 'failure-rate', key: 'all', holdMs, counts: { calls: 20 } });
const at = (ms: number) => new Date(1_000_000 + ms);
const open = (more: Partial<OpenIncident> = {}): OpenIncident => ({
  incidentId: 'i1',
  kind: 'failure-rate',
  key: 'all',
  firstSeenAt: at(0),
  raisedAt: at(0),
  calmSince: null,
  ...more,
});

test('what is to be told at once is raised as it is found', () => {
  expect(incidentSteps([], [finding()], at(0), CALM)).toEqual([{ do: 'open', finding: finding(), isRaised: true }]);
});

test('what may pass by itself is raised only when it has gone on for long enough', () => {
  const waiting = open({ raisedAt: null });
  const isRaised = (ms: number) => incidentSteps([waiting], [finding(600_000)], at(ms), CALM)[0];
  expect(isRaised(599_999)).toMatchObject({ do: 'go-on', isRaised: false });
  expect(isRaised(600_000)).toMatchObject({ do: 'go-on', isRaised: true });
});

test('what was over before anybody was told leaves nothing', () => {
  expect(incidentSteps([open({ raisedAt: null })], [], at(1), CALM)).toEqual([{ do: 'drop', incidentId: 'i1' }]);
});

test('an incident is over when it has been calm for long enough, and not before', () => {
  expect(incidentSteps([open()], [], at(1), CALM)).toEqual([{ do: 'wait', incidentId: 'i1' }]);
  const calm = open({ calmSince: at(0) });
  expect(incidentSteps([calm], [], at(CALM - 1), CALM)).toEqual([]);
  expect(incidentSteps([calm], [], at(CALM), CALM)).toEqual([{ do: 'close', incidentId: 'i1' }]);
});

test('another key of the same kind is another incident', () => {
  const other: Finding = { ...finding(), key: 'other' };
  expect(incidentSteps([open()], [other], at(1), CALM).map((step) => step.do)).toEqual(['open', 'wait']);
});

test('however trouble comes and goes, beginnings and ends alternate, and no end comes within the calm', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 60 }), (looks) => {
      let incident: OpenIncident | null = null;
      const told: string[] = [];
      let lastFoundAt = 0;
      for (const [minute, isFound] of looks.entries()) {
        const now = at(minute * 60_000);
        if (isFound) lastFoundAt = minute;
        const steps: IncidentStep[] = incidentSteps(
          incident === null ? [] : [incident],
          isFound ? [finding()] : [],
          now,
          CALM,
        );
        for (const step of steps) {
          if (step.do === 'open') incident = open({ firstSeenAt: now, raisedAt: now });
          if (step.do === 'open') told.push('firing');
          if (step.do === 'go-on' && incident !== null) incident = { ...incident, calmSince: null };
          if (step.do === 'wait' && incident !== null) incident = { ...incident, calmSince: now };
          if (step.do === 'close') {
            incident = null;
            told.push('resolved');
            expect((minute - lastFoundAt) * 60_000).toBeGreaterThanOrEqual(CALM);
          }
        }
      }
      told.forEach((word, n) => expect(word).toBe(n % 2 === 0 ? 'firing' : 'resolved'));
    }),
  );
});
