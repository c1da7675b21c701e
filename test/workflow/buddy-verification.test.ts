import { DAY, type TestBuddy, VerificationRig } from './buddy-verification-world';

let rig: VerificationRig;
beforeAll(async () => {
  rig = await VerificationRig.start();
});
afterAll(async () => {
  const notDeterministic = await rig.replayAll();
  await rig.stop();
  expect(notDeterministic).toEqual([]);
});

const MINUTE = 60_000;
/** Asked, and the provider has the e-mail. */
async function asked(): Promise<TestBuddy> {
  const buddy = await rig.buddy();
  await buddy.invite();
  await buddy.until('mail 1');
  await buddy.news('sent');
  await buddy.until('sent 1');
  return buddy;
}

describe('a verification', () => {
  it('sends one e-mail, takes the answer, tells the user and ends', async () => {
    const buddy = await rig.buddy();
    expect(await buddy.invite()).toEqual({ state: 'sending', version: 1, expiresAt: expect.any(String) });
    await buddy.until('mail 1');
    await buddy.news('sent');
    await buddy.until('sent 1');
    await buddy.news('delivered');
    expect(await buddy.answer('accept')).toBe('verified');
    expect(await buddy.result()).toBe('verified');
    expect(buddy.world.done).toEqual(['claim 1', 'mail 1', 'sent 1', 'verified', 'tell accepted']);
    await buddy.recordAs('accepted');
  });

  it('ends with a no', async () => {
    const buddy = await asked();
    expect(await buddy.answer('decline')).toBe('declined');
    expect(await buddy.result()).toBe('declined');
    expect(buddy.world.done.slice(-2)).toEqual(['declined', 'tell declined']);
    await buddy.recordAs('declined');
  });

  it('runs out after seven days, and tells the user', async () => {
    const buddy = await asked();
    await buddy.pass(7 * DAY - MINUTE);
    expect(buddy.world.done).not.toContain('expire 1');
    await buddy.pass(2 * MINUTE);
    expect(await buddy.result()).toBe('expired');
    expect(buddy.world.done.slice(-2)).toEqual(['expire 1', 'tell expired']);
    await buddy.recordAs('expired');
  });

  it('gives a resent link seven days of its own, and answers the older one as replaced', async () => {
    const buddy = await asked();
    await buddy.pass(5 * DAY);
    expect(await buddy.invite()).toMatchObject({ version: 2 });
    await buddy.until('mail 2');
    expect(await buddy.answer('accept', { version: 1 })).toBe('replaced');
    await buddy.pass(4 * DAY);
    expect(buddy.world.done).not.toContain('expire 1');
    expect(await buddy.answer('accept', { version: 2 })).toBe('verified');
    expect(await buddy.result()).toBe('verified');
    await buddy.recordAs('resent');
  });

  it('can be begun anew after its end, by the user alone', async () => {
    const buddy = await asked();
    await buddy.pass(8 * DAY);
    expect(await buddy.result()).toBe('expired');
    await buddy.begin();
    expect(await buddy.renew()).toBe('asked');
    await buddy.until('tell renewal-asked');
    expect(await buddy.result()).toBe('expired');
    expect(buddy.world.mails).toHaveLength(1);
    await buddy.recordAs('renewal-asked');
    await buddy.begin();
    await buddy.invite();
    await buddy.until('mail 2');
    expect(await buddy.answer('accept', { version: 2 })).toBe('verified');
    expect(await buddy.result()).toBe('verified');
  });

  it('tells the same to ten who press at once, and the user once', async () => {
    const buddy = await asked();
    let release: () => void = () => undefined;
    // It goes on until all have been answered.
    buddy.world.onTell = () =>
      new Promise<void>((resolve) => {
        release = resolve;
      });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => buddy.answer(n % 2 === 0 ? 'accept' : 'decline')),
    );
    await buddy.until(`telling ${answers[0] === 'verified' ? 'accepted' : 'declined'}`);
    release();
    const outcome = await buddy.result();
    expect(new Set(answers)).toEqual(new Set([outcome]));
    expect(buddy.world.done.filter((step) => step.startsWith('tell '))).toHaveLength(1);
  });

  it('refuses a press that nobody waits for any more', async () => {
    const buddy = await asked();
    await expect(buddy.answer('accept', { late: true })).rejects.toThrow();
    expect(buddy.world.status).toBe('pending');
    await buddy.answer('accept');
    await buddy.result();
  });
});

describe('what is refused', () => {
  it('sends nothing, and ends at once as the row says', async () => {
    const buddy = await rig.buddy((world) => {
      world.refused = 'target-limit';
    });
    expect(await buddy.invite()).toEqual({ refused: 'target-limit', retryAfterMs: null });
    expect(await buddy.result()).toBe('not-sent');
    expect(buddy.world.done).toEqual([]);
    await buddy.recordAs('refused');
  });

  it('begins nothing anew for somebody who has agreed, and tells nobody', async () => {
    const buddy = await rig.buddy((world) => {
      world.refused = 'already-verified';
      world.status = 'verified';
    });
    await buddy.invite();
    expect(await buddy.result()).toBe('verified');
    expect(buddy.world.done).toEqual([]);
  });

  it('takes up a link that waits, where its run was ended by hand', async () => {
    const buddy = await asked();
    await buddy.terminate();
    buddy.world.refused = 'too-soon';
    await buddy.begin();
    await buddy.invite();
    expect(await buddy.answer('accept')).toBe('verified');
    expect(await buddy.result()).toBe('verified');
  });

  it('ends by itself when nobody asks anything', async () => {
    const buddy = await rig.buddy();
    await buddy.pass(2 * MINUTE);
    expect(await buddy.result()).toBe('not-sent');
  });
});

describe('an e-mail that does not arrive', () => {
  it.each(['suppressed', 'failed', 'expired', 'cancelled'] as const)(
    'is taken back when it ended %s before anything left, and the user is told',
    async (state) => {
      const buddy = await rig.buddy();
      await buddy.invite();
      await buddy.until('mail 1');
      await buddy.news(state);
      expect(await buddy.result()).toBe('not-sent');
      expect(buddy.world.done).toEqual(['claim 1', 'mail 1', 'take back 1', 'tell not-delivered-invitation']);
      if (state === 'suppressed') await buddy.recordAs('suppressed');
    },
  );

  it('is taken back when it could not be begun', async () => {
    const buddy = await rig.buddy((world) => {
      world.sends = false;
    });
    await buddy.invite();
    expect(await buddy.result()).toBe('not-sent');
    expect(buddy.world.done).toContain('take back 1');
  });

  it('counts when it bounced, and its link goes on waiting', async () => {
    const buddy = await asked();
    await buddy.news('undelivered');
    await buddy.until('tell not-delivered-invitation');
    expect(buddy.world.done).not.toContain('take back 1');
    await buddy.pass(8 * DAY);
    expect(await buddy.result()).toBe('expired');
  });

  it('counts where nobody can know', async () => {
    const buddy = await rig.buddy();
    await buddy.invite();
    await buddy.until('mail 1');
    await buddy.news('lost');
    expect(await buddy.answer('accept')).toBe('verified');
    expect(await buddy.result()).toBe('verified');
    expect(buddy.world.done).not.toContain('take back 1');
  });

  it('of which nothing is ever heard ends with its link', async () => {
    const buddy = await rig.buddy();
    await buddy.invite();
    await buddy.until('mail 1');
    await buddy.pass(8 * DAY);
    expect(await buddy.result()).toBe('expired');
  });
});

describe('a withdrawal in the middle', () => {
  it('ends it, calls back what has not left, and tells the user', async () => {
    const buddy = await rig.buddy();
    await buddy.invite();
    await buddy.until('mail 1');
    buddy.world.status = 'opted-out';
    await buddy.ended();
    expect(await buddy.result()).toBe('withdrawn');
    // Neither waits for the other.
    expect(buddy.world.done.slice(-2).toSorted()).toEqual(['cancel 1', 'tell declined']);
    await buddy.recordAs('withdrawn');
  });

  it('by the user who removes them tells that user nothing', async () => {
    const buddy = await asked();
    buddy.world.isRemoved = true;
    await buddy.ended();
    expect(await buddy.result()).toBe('withdrawn');
    expect(buddy.world.done).toEqual(['claim 1', 'mail 1', 'sent 1']);
  });

  it('that the row knows nothing of ends nothing', async () => {
    const buddy = await asked();
    await buddy.ended();
    expect(await buddy.answer('accept')).toBe('verified');
    expect(await buddy.result()).toBe('verified');
  });
});

it('cancelled from the Web UI lets its link run out, since nobody would take the answer', async () => {
  const buddy = await asked();
  await buddy.handle.cancel();
  await expect(buddy.result()).rejects.toThrow();
  expect(buddy.world.status).toBe('expired');
  expect(buddy.world.done.slice(-2)).toEqual(['expire 1', 'tell expired']);
  await buddy.recordAs('stopped');
});

it('is asked for another e-mail while it ends, and goes on', async () => {
  const buddy = await asked();
  let release: () => void = () => undefined;
  buddy.world.onTell = () =>
    new Promise<void>((resolve) => {
      release = resolve;
    });
  // No time passes while somebody is being told.
  const passing = buddy.pass(7 * DAY + MINUTE);
  await buddy.until('telling expired');
  expect(await buddy.invite()).toMatchObject({ version: 2 });
  buddy.world.onTell = null;
  release();
  await passing;
  await buddy.until('mail 2');
  expect(await buddy.answer('accept', { version: 2 })).toBe('verified');
  expect(await buddy.result()).toBe('verified');
  await buddy.recordAs('asked-while-ending');
});
