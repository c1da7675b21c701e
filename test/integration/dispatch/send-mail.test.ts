/** E-mails by the dispatch rule: a real Postgres, words from the vault, and a carrier that does what a test says. */
import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { createSendMail } from '../../../activities/send-mail';
import { blockAddress } from '../../../db/mail-blocks';
import { findUnsubscribeLink } from '../../../db/mail-links';
import { SealedValue } from '../../../domain/sealed';
import type { Mail } from '../../../providers/mail';
import { ProviderError } from '../../../providers/provider-error';
import { linkHash } from '../../../vault/link-tokens';
import { DispatchWorld } from './dispatch-world';

let world: DispatchWorld;
const sent: Mail[] = [];
let fail: ProviderError | null = null;
beforeAll(async () => {
  world = await DispatchWorld.open();
});
afterAll(() => world.end());
beforeEach(() => {
  sent.length = 0;
  fail = null;
});

const lost = () =>
  new ProviderError({
    operation: 'send-mail',
    outcome: 'unknown',
    class: 'unknown',
    status: null,
    code: null,
    requestId: null,
    retryAfterMs: null,
  } as const);

async function somebodyToWriteTo() {
  const { asked } = await world.somebodyToText('The words of it');
  const address = SealedValue.of('email', `${randomUUID()}@example.org`);
  const recordId = await world.vault.seal({ subjectId: asked.subjectId, kind: 'email', value: address });
  return {
    ...asked,
    recordId,
    recipientToken: Buffer.from(address.expose().slice(0, 32)).toString('hex'),
    country: 'ZZ',
  };
}

async function send(asked: Awaited<ReturnType<typeof somebodyToWriteTo>>): Promise<{ sid: string }> {
  const provider = {
    async send(mail: Mail) {
      sent.push(mail);
      const error = fail;
      fail = null;
      if (error !== null) throw error;
      return { id: mail.messageId };
    },
    probe: async () => undefined,
    close: () => undefined,
  };
  const activity = createSendMail({ ...world.deps, mail: { ...world.deps.mail, provider } });
  return await new MockActivityEnvironment().run(activity, asked);
}

test('an e-mail goes out once, with a neutral subject and the link that stops further ones', async () => {
  const asked = await somebodyToWriteTo();
  const { sid } = await send(asked);
  expect(await send(asked)).toEqual({ sid });
  expect(sent).toHaveLength(1);
  const [mail] = sent;
  expect(sid).toBe(`<${asked.dispatchId}@kindline.example.org>`);
  expect(mail?.text.expose()).toContain('The words of it');
  expect(mail?.subject.expose()).toBe('A message for you');
  expect(mail?.text.expose()).toContain(`No more e-mail: ${mail?.unsubscribeUrl}`);
  expect(mail?.html.expose()).toContain(`<a href="${mail?.unsubscribeUrl}">No more e-mail</a>`);
  const hash = linkHash(mail?.unsubscribeUrl?.split('/').at(-1) ?? '') ?? Buffer.alloc(0);
  expect(await findUnsubscribeLink(world.deps.pool, hash)).toMatchObject({ messageId: asked.messageId });
});

test('an e-mail whose answer was lost is sent again with the same Message-ID and the same link', async () => {
  const asked = await somebodyToWriteTo();
  fail = lost();
  const { sid } = await send(asked);
  expect(sent).toHaveLength(2);
  expect(new Set(sent.map(({ messageId }) => messageId))).toEqual(new Set([sid]));
  expect(new Set(sent.map(({ unsubscribeUrl }) => unsubscribeUrl)).size).toBe(1);
});

test.each([
  ['bounced', 'update', 'blocked'],
  ['complained', 'verification', 'blocked'],
  ['unsubscribed', 'update', 'opted-out'],
] as const)('an address that has %s gets no %s', async (reason, kind, because) => {
  const asked = { ...(await somebodyToWriteTo()), kind };
  await blockAddress(world.deps.pool, Buffer.from(asked.recipientToken, 'hex'), 1, reason);
  await expect(send(asked)).rejects.toMatchObject({ type: 'DispatchSuppressed', details: [{ reason: because }] });
  expect(sent).toEqual([]);
});

test('a verification that somebody asks for reaches them though they unsubscribed', async () => {
  const asked = { ...(await somebodyToWriteTo()), kind: 'verification' as const };
  await blockAddress(world.deps.pool, Buffer.from(asked.recipientToken, 'hex'), 1, 'unsubscribed');
  await send(asked);
  expect(sent).toMatchObject([{ unsubscribeUrl: null }]);
  expect(sent[0]?.html.expose()).not.toContain('No more e-mail');
});
