import { randomUUID } from 'node:crypto';
import { ANSWERING_PARTIES, BUILT_IN_POLICY, type EscalationPolicy } from '../../domain/escalation-policy';
import { KINDLINE_STATE } from '../../temporal/search-attributes';
import { HOUR, WellbeingRig, type WellbeingWorld } from './wellbeing-alert-rig';

let rig: WellbeingRig;
beforeAll(async () => {
  rig = await WellbeingRig.start();
});
afterAll(async () => {
  const notDeterministic = await rig.replayAll();
  await rig.stop();
  expect(notDeterministic).toEqual([]);
});

const buddiesOnly: EscalationPolicy = { ...BUILT_IN_POLICY, steps: BUILT_IN_POLICY.steps.slice(0, 2) };
const last = BUILT_IN_POLICY.steps.length;

describe('an alert that a friend answers', () => {
  it('asks the first two by rank at once, and ends with the first who has been in touch', async () => {
    const alert = await rig.alert();
    const step = await alert.asked(1);
    expect(step).toMatchObject({ days: 3, minutes: 0, reportsTo: `wellbeing-alert:${alert.world.alertId}` });
    expect(step.asks.map(({ buddyId }) => buddyId)).toEqual(alert.world.buddies.slice(0, 2));
    await alert.tell(1, 1, 'delivered');
    await alert.tell(1, 1, 'opened');
    await alert.answers(1, 2, 'called');
    expect(await alert.result()).toEqual({ state: 'answered', endReason: 'answered' });
    const [first, second] = step.asks.map(({ askId }) => askId);
    const decision = { askId: second, party: 'buddies', response: 'called', position: 1 };
    expect(alert.world.closed[0]).toMatchObject({ decision });
    // The other one is still asked until then, and the one who answered could still correct it.
    const asks = [first, second].map((askId) => ({ askId, by: 'check-in' }));
    expect(alert.world.ended).toMatchObject([{ isTold: true, asks }]);
    await alert.recordAs('answered');
  });

  it('goes on at once when all who were asked cannot, or were not reached', async () => {
    const alert = await rig.alert();
    await alert.asked(1);
    await alert.answers(1, 1, 'cannot-reach');
    await alert.tell(1, 2, 'undeliverable');
    const second = await alert.asked(2);
    expect(second.minutes).toBe(0);
    expect(second.asks.map(({ buddyId }) => buddyId)).toEqual(alert.world.buddies.slice(2));
    expect(alert.world.notes).toMatchObject([{ position: 1, state: 'unanswered' }]);
    await alert.answers(2, 1, 'messaged');
    expect((await alert.result()).state).toBe('answered');
  });

  it('hears whoever could not at first and has been in touch after all', async () => {
    const alert = await rig.alert();
    await alert.asked(1);
    await alert.answers(1, 1, 'cannot-reach');
    await alert.answers(1, 1, 'called');
    expect(await alert.result()).toEqual({ state: 'answered', endReason: 'answered' });
    // The row of the step had said otherwise, and what has reached somebody is not taken back by a later word.
    expect(alert.world.closed).toMatchObject([{ decision: { position: 1, response: 'called' } }]);
  });

  it('waits for the other one while only one of two cannot', async () => {
    const alert = await rig.alert();
    await alert.asked(1);
    await alert.answers(1, 1, 'unavailable');
    await alert.pass(HOUR);
    expect(alert.world.started).toHaveLength(1);
    expect((await alert.asked(2, HOUR)).minutes).toBe(120);
    await alert.answers(1, 2, 'called');
    await alert.result();
  });

  it('is over for those asked later, when somebody asked earlier answers after all', async () => {
    const alert = await rig.alert();
    await alert.askedInTurn(2);
    await alert.answers(1, 1, 'called');
    expect(await alert.result()).toEqual({ state: 'answered', endReason: 'answered-after-escalation' });
    // Whose answer it was may not correct it any more.
    expect(alert.world.ended[0]?.asks).toHaveLength(4);
    expect(alert.world.done).not.toContain('step 3');
    await alert.recordAs('answered-after-escalation');
  });

  it('asks nobody twice', async () => {
    const alert = await rig.alert((world) => (world.buddies = [randomUUID(), randomUUID()]));
    // The second step has nobody left, and the third comes at once.
    await alert.asked(1);
    expect((await alert.asked(3, 2 * HOUR)).minutes).toBe(120);
    expect(alert.world.done).toContain('skip 2 all-asked');
    await alert.close('user');
  });
});

describe('an alert that nobody answers', () => {
  it('comes to every party in its time, and rings nobody for an emergency by itself', async () => {
    const alert = await rig.alert();
    await alert.askedInTurn(5);
    const times = [];
    for (const position of [1, 2, 3, 4, 5]) times.push((await alert.asked(position)).minutes);
    expect(times).toEqual([0, 120, 240, 300, 360]);
    await alert.call(5, 'exhausted');
    expect(await alert.result()).toEqual({ state: 'escalated', endReason: 'handed-over' });
    expect(alert.world.done).toContain(`step ${last}`);
    expect(alert.world.started.map(({ position }) => position)).not.toContain(last);
    expect(alert.world.confirmed).toEqual([]);
    // Whoever was asked in vain is not written to once more.
    expect(alert.world.ended[0]).toMatchObject({ isTold: false });
    await alert.recordAs('handed-over');
  });

  it('goes past a mail that did not arrive, and a text that was refused, without waiting', async () => {
    const alert = await rig.alert((world) => (world.buddies = []));
    expect((await alert.asked(3)).minutes).toBe(0);
    await alert.message(3, 'sent');
    await alert.message(3, 'failed');
    expect((await alert.asked(4)).minutes).toBe(0);
    await alert.message(4, 'suppressed');
    expect((await alert.asked(5)).minutes).toBe(0);
    await alert.call(5, 'exhausted');
    expect(await alert.result()).toEqual({ state: 'closed', endReason: 'nobody-answered' });
  });

  it('ends when every buddy has said no and nobody else is in the policy', async () => {
    const alert = await rig.alert((world) => (world.policy = buddiesOnly));
    await alert.asked(1);
    for (const nth of [1, 2]) await alert.answers(1, nth, 'unavailable');
    await alert.asked(2);
    for (const nth of [1, 2]) await alert.tell(2, nth, 'unanswered');
    expect(await alert.result()).toEqual({ state: 'closed', endReason: 'nobody-answered' });
  });

  it('ends a day after its last step when there is no word at all', async () => {
    const alert = await rig.alert((world) => (world.policy = buddiesOnly));
    await alert.askedInTurn(2);
    await alert.pass(23 * HOUR);
    expect(alert.world.closed).toEqual([]);
    await alert.pass(2 * HOUR);
    expect(await alert.result()).toEqual({ state: 'closed', endReason: 'nobody-answered' });
    expect(alert.world.ended[0]?.asks).toHaveLength(4);
  });
});

describe('an alert without addressees', () => {
  it('goes straight to the next step that has one when nobody is verified', async () => {
    const alert = await rig.alert((world) => {
      world.nobody = { 1: 'nobody-verified', 2: 'nobody-verified', 3: 'not-configured' };
    });
    expect((await alert.asked(4)).minutes).toBe(0);
    await alert.contact('called');
    expect(await alert.result()).toEqual({ state: 'answered', endReason: 'answered' });
    expect(alert.world.closed[0]).toMatchObject({ decision: { party: 'registered-contact', response: 'called' } });
  });

  it('does the same when all have opted out', async () => {
    const alert = await rig.alert((world) => {
      world.nobody = { 1: 'all-opted-out', 2: 'all-opted-out' };
    });
    expect((await alert.asked(3)).minutes).toBe(0);
    await alert.close('staff');
    expect(await alert.result()).toEqual({ state: 'escalated', endReason: 'taken-over' });
  });

  it('is over at once, and says so, when there is nobody at all', async () => {
    const alert = await rig.alert((world) => {
      for (let position = 1; position <= last; position += 1) world.nobody[position] = 'not-configured';
    });
    expect(await alert.result()).toEqual({ state: 'closed', endReason: 'nobody-to-ask' });
    expect(alert.world.started).toEqual([]);
    expect(alert.world.ended).toEqual([]);
    await alert.recordAs('nobody-to-ask');
  });

  it('goes on at once when whoever is asked has gone meanwhile', async () => {
    const alert = await rig.alert((world) => (world.isUnreachable = ({ by }) => by === 'check-in'));
    expect((await alert.asked(3)).minutes).toBe(0);
    await alert.close('user');
  });

  it('goes on when nobody can be asked for ten minutes, because something is down', async () => {
    const alert = await rig.alert((world) => {
      world.policy = buddiesOnly;
      world.startFails = true;
    });
    expect(await alert.result()).toEqual({ state: 'closed', endReason: 'nobody-answered' });
    expect(alert.world.done).toContain('note 2 unanswered');
  });

  it('goes on with those who could be asked when one cannot, because something is down', async () => {
    const alert = await rig.alert((world) => {
      world.policy = buddiesOnly;
      world.isStuck = ({ buddyId }) => buddyId === world.buddies[0];
    });
    await alert.asked(1);
    await alert.pass(11 * 60_000);
    // The one who was asked is waited for, and ends it.
    expect(alert.world.started).toHaveLength(1);
    await alert.answers(1, 2, 'unavailable');
    await alert.asked(2);
    expect(alert.world.notes).toMatchObject([{ position: 1, state: 'unanswered' }]);
    await alert.answers(2, 1, 'called');
    expect((await alert.result()).state).toBe('answered');
  });

  it('is over as soon as it is closed, also while somebody cannot be asked, and ends whatever has begun', async () => {
    const alert = await rig.alert((world) => {
      world.policy = buddiesOnly;
      world.isStuck = ({ buddyId }) => buddyId === world.buddies[0];
    });
    const { asks, at } = await alert.asked(1);
    expect(await alert.close('user')).toEqual({ state: 'closed', endReason: 'closed-by-user' });
    await alert.result();
    expect(Date.parse(alert.world.closed[0]?.endedAt ?? '') - at).toBeLessThan(5 * 60_000);
    expect(alert.world.ended[0]?.asks.map(({ askId }) => askId)).toEqual(asks.map(({ askId }) => askId));
    await alert.recordAs('closed-while-asking');
  });

  it('ends as its row says, which may know of an answer whose news was on its way', async () => {
    const alert = await rig.alert((world) => {
      world.nobody = {
        1: 'no-buddies',
        2: 'no-buddies',
        3: 'not-configured',
        4: 'no-contact',
        5: 'not-configured',
        6: 'not-configured',
      };
      world.endInRow = { state: 'answered', endReason: 'answered' };
    });
    expect(await alert.result()).toEqual({ state: 'answered', endReason: 'answered' });
  });

  it('ends with its user when they are erased, and tells nobody', async () => {
    const alert = await rig.alert();
    await alert.asked(1);
    alert.world.isGone = true;
    expect(await alert.result()).toEqual({ state: 'closed', endReason: 'user-erased' });
    expect(alert.world.ended[0]).toMatchObject({ isTold: false });
  });
});

describe('the emergency step', () => {
  const human = randomUUID();
  const waiting = (world: WellbeingWorld): void => {
    for (let position = 1; position < last; position += 1) world.nobody[position] = 'not-configured';
  };

  it('rings when a human has confirmed it, and the one who did is kept first', async () => {
    const alert = await rig.alert(waiting);
    await alert.until(() => alert.world.done.includes(`step ${last}`));
    await alert.pass(HOUR);
    expect(alert.world.started).toEqual([]);
    expect(await alert.confirm(human)).toBe('confirmed');
    await alert.asked(last);
    expect(await alert.confirm(randomUUID())).toBe('confirmed');
    expect(alert.world.confirmed).toMatchObject([{ actor: human, position: last }]);
    const sequence = alert.world.done.filter((step) => step === 'confirmed' || step.startsWith('ask'));
    expect(sequence).toEqual(['confirmed', `ask ${last}`]);
    expect(alert.world.started[0]?.asks[0]?.askId).toBe(alert.world.confirmed[0]?.askId);
    await alert.call(last, 'acknowledged');
    expect(await alert.result()).toEqual({ state: 'escalated', endReason: 'taken-over' });
    await alert.recordAs('emergency');
  });

  it('cannot be confirmed before its turn, or by a request nobody waits for', async () => {
    const alert = await rig.alert();
    await alert.asked(1);
    await expect(alert.confirm(human)).rejects.toThrow();
    await alert.askedInTurn(5);
    await alert.pass(HOUR + 1_000);
    await alert.until(() => alert.world.done.includes(`step ${last}`));
    await expect(alert.confirm(human, true)).rejects.toThrow();
    await alert.close('user');
    await alert.result();
    expect(alert.world.confirmed).toEqual([]);
  });

  it('is not taken back by an answer that comes when it was set off', async () => {
    const alert = await rig.alert((world) => {
      world.nobody = { 2: 'all-asked', 3: 'not-configured', 4: 'no-contact', 5: 'not-configured' };
    });
    await alert.asked(1);
    await alert.pass(2 * HOUR + 1_000);
    await alert.until(() => alert.world.done.includes(`step ${last}`));
    await alert.confirm(human);
    await alert.asked(last);
    await alert.answers(1, 1, 'called');
    expect(await alert.result()).toEqual({ state: 'answered', endReason: 'answered-after-escalation' });
    expect(alert.world.ended[0]?.asks.map(({ by }) => by)).toEqual(['check-in', 'check-in']);
  });
});

describe('whose answer counts', () => {
  const onCallOnly: EscalationPolicy = {
    closesAfterMinutes: 60,
    steps: [
      { who: 'buddies', count: 2, channel: 'sms', afterMinutes: 0, answeredBy: ['registered-contact'] },
      { who: 'on-call', count: 1, channel: 'voice', afterMinutes: 30, answeredBy: ['on-call'] },
    ],
  };

  const contactDoesNotCount: EscalationPolicy = {
    closesAfterMinutes: 60,
    steps: [
      { who: 'registered-contact', count: 1, channel: 'sms', afterMinutes: 0, answeredBy: ['on-call'] },
      { who: 'on-call', count: 1, channel: 'voice', afterMinutes: 30, answeredBy: ['on-call'] },
    ],
  };

  it('is for the policy to say: another answer is noted, and the next step comes in its time', async () => {
    const alert = await rig.alert((world) => (world.policy = onCallOnly));
    await alert.asked(1);
    await alert.answers(1, 1, 'called');
    await alert.answers(1, 2, 'unavailable');
    expect((await alert.asked(2, HOUR / 2)).minutes).toBe(30);
    expect(alert.world.notes).toMatchObject([{ position: 1, state: 'answered' }]);
    await alert.call(2, 'acknowledged');
    expect(await alert.result()).toEqual({ state: 'escalated', endReason: 'taken-over' });
  });

  it('is an answer after all when nobody else gives one', async () => {
    const alert = await rig.alert((world) => (world.policy = onCallOnly));
    await alert.asked(1);
    await alert.answers(1, 1, 'called');
    await alert.answers(1, 2, 'unavailable');
    await alert.asked(2, HOUR / 2);
    await alert.call(2, 'exhausted');
    expect((await alert.result()).state).toBe('answered');
    expect(ANSWERING_PARTIES).toContain(alert.world.closed[0]?.decision?.party);
  });

  it('is kept of a contact whose answer does not count: nothing takes it back, and no page says that it is over', async () => {
    const alert = await rig.alert((world) => (world.policy = contactDoesNotCount));
    await alert.asked(1);
    expect(await alert.contact('called')).toBe('noted');
    await expect(alert.contact('unavailable')).rejects.toMatchObject({ cause: { type: 'ContactHasAnswered' } });
    await alert.close('user');
  });

  it('is taken back by a buddy who corrects it while nothing is decided, and the next step comes at once', async () => {
    const alert = await rig.alert((world) => (world.policy = onCallOnly));
    await alert.asked(1);
    await alert.answers(1, 1, 'called');
    await alert.answers(1, 2, 'unavailable');
    await alert.answers(1, 1, 'cannot-reach');
    expect((await alert.asked(2)).minutes).toBe(0);
    await alert.call(2, 'exhausted');
    expect(await alert.result()).toEqual({ state: 'closed', endReason: 'nobody-answered' });
    expect(alert.world.notes).toContainEqual(expect.objectContaining({ position: 1, state: 'unanswered' }));
    await alert.recordAs('taken-back-by-buddy');
  });

  it('is the contact’s only while they are asked', async () => {
    const alert = await rig.alert();
    await alert.asked(1);
    await expect(alert.contact('called')).rejects.toThrow();
    await alert.askedInTurn(4);
    expect(await alert.contact('cannot-reach')).toBe('noted');
    expect((await alert.asked(5)).minutes).toBe(300);
    expect(alert.world.notes).toContainEqual(expect.objectContaining({ position: 4, response: 'cannot-reach' }));
    await alert.close('user');
    await alert.result();
  });

  it('may be corrected by the contact until it is over, as by a buddy, and its row with it', async () => {
    const alert = await rig.alert();
    await alert.askedInTurn(4);
    await alert.contact('cannot-reach');
    await alert.asked(5);
    await alert.contact('unavailable');
    await alert.call(5, 'exhausted');
    await alert.until(() => alert.world.done.includes(`step ${last}`));
    const ofContact = alert.world.notes.filter(({ position }) => position === 4);
    expect(ofContact.map(({ response }) => response)).toEqual(['cannot-reach', 'unavailable']);
    expect(await alert.contact('called')).toBe('noted');
    expect(await alert.result()).toEqual({ state: 'answered', endReason: 'answered-after-escalation' });
    expect(alert.world.closed[0]).toMatchObject({ decision: { party: 'registered-contact', response: 'called' } });
    await alert.recordAs('corrected-by-contact');
  });

  it('may be corrected by the contact five times; that they were in touch is heard all the same', async () => {
    const alert = await rig.alert();
    await alert.askedInTurn(4);
    await alert.contact('cannot-reach');
    for (const nth of [1, 2, 3, 4, 5]) await alert.contact(nth % 2 === 1 ? 'unavailable' : 'cannot-reach');
    await expect(alert.contact('cannot-reach')).rejects.toMatchObject({ cause: { type: 'ContactHasAnswered' } });
    expect(await alert.contact('called')).toBe('noted');
    expect((await alert.result()).state).toBe('answered');
  });

  it('is not heard when nobody waits for the word that it was, which is not the end of the alert', async () => {
    const alert = await rig.alert();
    await alert.askedInTurn(4);
    await expect(alert.contact('called', true)).rejects.toMatchObject({ cause: { type: 'QuestionTooLate' } });
    expect(await alert.contact('called')).toBe('noted');
    await alert.result();
  });
});

describe('an alert that is ended', () => {
  it('by its user is closed, and whoever was asked is told', async () => {
    const alert = await rig.alert();
    await alert.asked(1);
    expect(await alert.close('user')).toEqual({ state: 'closed', endReason: 'closed-by-user' });
    await alert.result();
    expect(alert.world.ended[0]).toMatchObject({ isTold: true, asks: [{ by: 'check-in' }, { by: 'check-in' }] });
    await alert.recordAs('closed-by-user');
  });

  it('before it has begun asks nobody', async () => {
    const alert = await rig.alert((world) => (world.isOver = true));
    expect((await alert.result()).state).toBe('closed');
    expect(alert.world.done).toEqual(['open']);
    expect((await alert.handle.describe()).typedSearchAttributes.get(KINDLINE_STATE)).toBe('ended');
    await alert.recordAs('over-before-it-began');
  });

  it('by staff is closed, or taken over when the organisation was asked', async () => {
    const before = await rig.alert();
    await before.asked(1);
    expect(await before.close('staff')).toEqual({ state: 'closed', endReason: 'closed-by-staff' });
    const after = await rig.alert();
    await after.askedInTurn(3);
    expect(await after.close('staff')).toEqual({ state: 'escalated', endReason: 'taken-over' });
  });

  it('is not ended by a request that nobody waits for any more', async () => {
    const alert = await rig.alert();
    await alert.asked(1);
    await expect(alert.close('user', true)).rejects.toThrow();
    await alert.answers(1, 1, 'called');
    expect((await alert.result()).state).toBe('answered');
  });

  it('by an operator leaves nobody asked', async () => {
    const alert = await rig.alert();
    await alert.asked(1);
    await alert.handle.cancel();
    await expect(alert.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect(alert.world.closed[0]).toMatchObject({ state: 'closed', endReason: 'stopped-by-operator' });
    expect(alert.world.ended[0]?.asks).toHaveLength(2);
    await alert.recordAs('stopped-by-operator');
  });

  it('comes to its end also when nobody can be told of it', async () => {
    const alert = await rig.alert((world) => (world.endFails = true));
    await alert.asked(1);
    await alert.answers(1, 1, 'called');
    expect((await alert.result()).state).toBe('answered');
  });
});
