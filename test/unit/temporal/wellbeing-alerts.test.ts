import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { KindlineClient } from '../../../temporal/connection';
import { TemporalNotInTime } from '../../../temporal/errors';
import { closeWellbeingAlert, confirmEmergency, tellContactAnswer } from '../../../temporal/wellbeing-alerts';

const ASKED = { alertId: 'the-alert', messageId: 'the-text' };

/** A client whose alert answers every update so, and what was said to whom. */
function answering(answer: () => unknown): { client: KindlineClient; said: string[] } {
  const said: string[] = [];
  const getHandle = (workflowId: string) => ({
    executeUpdate: async (update: string) => {
      said.push(`${workflowId} ${update}`);
      return workflowId.startsWith('message:') ? 'too-late' : answer();
    },
  });
  const client = { withDeadline: (_until: number, run: () => unknown) => run(), workflow: { getHandle } };
  return { client: client as unknown as KindlineClient, said };
}
const refusing = (type: string) =>
  answering(() => {
    throw new WorkflowUpdateFailedError('refused', ApplicationFailure.nonRetryable('refused', type));
  });

test('an alert that hears a word too late is not over: whoever tells it tries again', async () => {
  const { client, said } = refusing('QuestionTooLate');
  await expect(tellContactAnswer(client, ASKED, 'unavailable')).rejects.toBeInstanceOf(TemporalNotInTime);
  await expect(closeWellbeingAlert(client, 'the-alert', 'user')).rejects.toBeInstanceOf(TemporalNotInTime);
  await expect(confirmEmergency(client, 'the-alert', 'somebody')).rejects.toBeInstanceOf(TemporalNotInTime);
  expect(said).not.toContain('message:the-text cancel');
});

test('an alert that does not ask the contact, or has ended, waits for no word of theirs', async () => {
  const gone = answering(() => {
    throw new WorkflowNotFoundError('gone', 'wellbeing-alert:the-alert', undefined);
  });
  expect(await tellContactAnswer(gone.client, ASKED, 'unavailable')).toBe('over');
  expect(await tellContactAnswer(refusing('ContactNotAsked').client, ASKED, 'unavailable')).toBe('over');
});

test.each([
  ['noted', answering(() => 'noted')],
  ['over', refusing('ContactNotAsked')],
  ['kept', refusing('ContactHasAnswered')],
])('a text that still waits is withdrawn after the word was %s', async (how, { client, said }) => {
  expect(await tellContactAnswer(client, ASKED, 'unavailable')).toBe(how);
  expect(said).toEqual(['wellbeing-alert:the-alert contactAnswers', 'message:the-text cancel']);
  await tellContactAnswer(client, { ...ASKED, messageId: null }, 'unavailable');
  expect(said).toHaveLength(3);
});
