import type { DemoCall } from './demo-call';
import type { DemoReport } from './demo';

/** The call as a short story, for a reader who has never seen Kindline. */
export function tellStory(call: DemoCall, report: DemoReport): string {
  const began = Date.parse(call.timeline[0]?.time ?? new Date().toISOString());
  const lines = call.timeline.map(({ time, leg, event }) => {
    const seconds = ((Date.parse(time) - began) / 1000).toFixed(1).padStart(5);
    return `  ${seconds} s  ${leg.padEnd(8)} ${event}`;
  });
  return [
    '',
    'One masked call',
    '',
    ...lines,
    '',
    'What the user heard',
    ...call.heardByUser.map(quote),
    'What the mentor heard',
    ...call.heardByMentor.map(quote),
    '',
    `The user's phone showed   ${report.numbersSeenByUser.join(', ')}`,
    `The mentor's phone showed ${report.numbersSeenByMentor.join(', ')}`,
    `Both are the organisation's own: ${report.organisationNumbers.join(', ')}`,
    '',
    `Outcome: ${report.outcome}${call.durationSeconds === null ? '' : `, ${call.durationSeconds} s of conversation`}.`,
    `The course of the call is ${report.historyEvents} events of the workflow ${report.workflowId}.`,
    report.sealedDataFound === 0
      ? 'Searched every table, the database files, Temporal and all logs for both numbers and the name: found 0 times.'
      : `Searched for both numbers and the name: FOUND ${report.sealedDataFound} times.`,
    `Audit entries: ${report.auditVerified ? 'complete, chained and unchanged; a signed checkpoint has seen them all' : 'NOT as they should be'}.`,
    '',
    'To play with the phones yourself: npm start',
    '',
  ].join('\n');
}

function quote(words: string): string {
  return `  “${words}”`;
}
