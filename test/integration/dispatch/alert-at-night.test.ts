import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createAlertActivities } from '../../../activities/alerts';
import { nightLeftMs } from '../../../activities/night';
import type { ActivityDependencies } from '../../../activities/dependencies';
import { createPlaceAlertCall, type PlaceAlertCall } from '../../../activities/place-alert-call';
import { openAlert } from '../../../db/alerts';
import { createSubject } from '../../../db/subjects';
import type { AlertNight } from '../../../domain/voice-alert';
import { alertRecipient, voiceAlertInput } from '../../voice-alert-input';
import { giveProfile } from '../buddies/people';
import { DispatchWorld, OUR_NUMBERS } from './dispatch-world';

let world: DispatchWorld;
beforeAll(async () => {
  world = await DispatchWorld.open();
});
afterAll(() => world.end());

const NIGHT: AlertNight = { country: 'US', zone: 'UTC', kind: 'alert', messageClass: 'ordinary', urgency: 'normal' };

/** It is night in UTC, for another hour. */
function atNight(): ActivityDependencies {
  const now = new Date().getUTCHours() * 60 + new Date().getUTCMinutes();
  const quietHours = { from: (now + 1_440 - 60) % 1_440, until: (now + 60) % 1_440 };
  return { ...world.deps, messages: { ...world.deps.messages, quietHours } };
}

/** Rings somebody new, in the night. */
async function ring(night: AlertNight | null): Promise<{ rung: number; error: unknown }> {
  const { number, asked } = await world.somebody();
  const { recipientToken, recordId } = asked;
  const subjectId = await createSubject(world.db.app, 'system');
  const content = { templateId: null, templateVersion: null, recordId };
  const recipients = [alertRecipient({ subjectId, recordId, recipientToken, content })];
  const input = voiceAlertInput({ requestedBy: subjectId, recipients });
  await openAlert(world.db.app, input);
  const [recipient] = input.recipients;
  if (recipient === undefined) throw new Error('no recipient');
  const { alertId, kind, messageClass, requestedAt } = input;
  const leg: PlaceAlertCall = {
    ...recipient,
    alertId,
    kind,
    messageClass,
    requestedAt,
    legId: randomUUID(),
    position: 1,
    attempt: 1,
    businessKey: `voice-alert:${alertId}:1:1`,
    workflowId: `voice-alert:${alertId}`,
    from: OUR_NUMBERS[0],
    neutralFirst: true,
    ringSeconds: 30,
    ...(night === null ? {} : { night }),
  };
  const place = createPlaceAlertCall(atNight());
  const error: unknown = await new MockActivityEnvironment().run(place, leg).then(
    () => null,
    (failure: unknown) => failure,
  );
  return { rung: (await world.rings(number)).length, error };
}

it('no phone rings at night to say a message, whatever the call has waited for', async () => {
  expect(await ring(NIGHT)).toEqual({ rung: 0, error: expect.objectContaining({ type: 'DispatchNotYet' }) });
});

it.each([
  ['one that somebody asked for', null],
  ['one of class safety', { ...NIGHT, messageClass: 'safety' }],
  ['an emergency', { ...NIGHT, urgency: 'emergency' }],
] as const)('the phone rings at night for %s', async (_which, night) => {
  expect(await ring(night)).toEqual({ rung: 1, error: null });
});

it('is night for a call by the zone that its recipient has told us, where none was given', async () => {
  const { nightLeft } = createAlertActivities(atNight());
  const subjectId = await createSubject(world.db.app, 'system');
  const asleep = { ...NIGHT, zone: null, subjectId };
  // Anywhere in the United States it is day.
  expect(await nightLeft(asleep)).toBe(0);
  await giveProfile({ pool: world.db.app, vault: world.vault }, subjectId, { timeZone: 'UTC' });
  expect(await nightLeft(asleep)).toBeGreaterThan(3_000_000);
  expect(await ring(asleep)).toMatchObject({ rung: 0 });
  expect(await nightLeft({ ...asleep, zone: 'America/Chicago' })).toBe(0);
});

it('an alert that says a message asks how long its recipient sleeps', async () => {
  const { nightLeft } = createAlertActivities(atNight());
  expect(await nightLeft(NIGHT)).toBeGreaterThan(3_000_000);
  expect(await nightLeft({ ...NIGHT, urgency: 'emergency' })).toBe(0);
  // A text to somebody whose phone has just rung for the same.
  const after = { ...NIGHT, channel: 'sms' } as const;
  expect(await nightLeftMs(atNight(), { ...after, waitsForDay: false }, new Date())).toBe(0);
  expect(await nightLeftMs(atNight(), after, new Date())).toBeGreaterThan(3_000_000);
});
