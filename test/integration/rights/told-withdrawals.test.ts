/** A user who wished to be told by text hears that a buddy is none any more, once, by whatever way they have ended it. */
import { type NewsForUser, tellUser } from '../../../activities/tell-user';
import { readWords } from '../../../domain/message-words';
import { TemporalNotInTime } from '../../../temporal/errors';
import { relayWithdrawals } from '../../../workers/relay';
import { textIn } from '../api/inbound-text';
import { type Asking, CheckInsUnderTest, newPhone } from '../buddies/check-in-world';
import { pressRights } from './rights-page';

let world: CheckInsUnderTest;
beforeAll(async () => {
  world = await CheckInsUnderTest.start();
});
afterAll(() => world.stop());

const tell = (news: NewsForUser) => tellUser(world.deps, news);
const relay = (tellingUser = tell) => relayWithdrawals({ ...world.deps, tellUser: tellingUser });

interface Ending extends Asking {
  readonly phone: string;
  /** Of a text that has asked the buddy. */
  readonly token: string;
}

/** A user who is told at a number they have verified, and somebody who has agreed to be their buddy. */
async function asking(profile: Parameters<CheckInsUnderTest['asking']>[1] = {}): Promise<Ending> {
  const phone = newPhone();
  const one = await world.asking({ phone, name: 'Benedict Marsh' }, { tellMeBy: 'sms', ...profile });
  const { body } = await world.api.ask('POST', '/contact-points', { who: one.who, json: { phoneNumber: newPhone() } });
  await world.api.database.owner.query(
    'UPDATE contact_points SET verified_at = clock_timestamp() WHERE contact_point_id = $1',
    [body.contactPointId],
  );
  const token =
    world
      .linkOf(await world.sent(one))
      .split('/')
      .at(-1) ?? '';
  return { ...one, phone, token };
}

/** What a user has been told. */
async function told({ userId }: Asking): Promise<unknown[]> {
  const news = world.texts.filter(({ subjectId }) => subjectId === userId);
  return await Promise.all(
    news.map(async ({ content }) => {
      const sealed = await world.api.deps.vault.reveal({
        recordId: content.recordId,
        purpose: 'send',
        actor: 'system',
      });
      const words = readWords(sealed);
      return 'variables' in words ? words.variables['news'] : words;
    }),
  );
}

const press = ({ token }: Ending, step: string) => pressRights(world.api, token, step);
const stop = ({ phone }: Ending, word = 'STOP') => textIn(world.api, phone, word);

it('is told once of a buddy who withdraws on their page, and blocks after that', async () => {
  const [one, spanish] = [await asking(), await asking({ language: 'es' })];
  for (const step of ['withdraw', 'withdraw', 'block']) await press(one, step);
  await press(spanish, 'block-everybody');
  expect(await relay()).toBe(2);
  await press(one, 'block');
  expect(await relay()).toBe(0);
  expect(await told(one)).toEqual(['Benedict is not your buddy any more.']);
  expect(await told(spanish)).toEqual(['Benedict ya no es su persona de confianza.']);
});

it('is told once of one who texts STOP, and withdraws on the page after that', async () => {
  const one = await asking();
  await stop(one);
  expect(await relay()).toBe(1);
  await press(one, 'withdraw');
  expect(await relay()).toBe(0);
  expect(await told(one)).toEqual(['Benedict is not your buddy any more.']);
});

it('is told of one who has erased themselves, of whom no name is left', async () => {
  const [one, spanish] = [await asking(), await asking({ language: 'es' })];
  for (const each of [one, spanish]) await press(each, 'erase');
  expect(await relay()).toBe(2);
  expect(await told(one)).toEqual(['Somebody on your list is not your buddy any more.']);
  expect(await told(spanish)).toEqual(['Una persona de su lista ya no es su persona de confianza.']);
});

it('is told once, also where it is not known whether it was, and one that cannot be told keeps no other from it', async () => {
  const several = [await asking(), await asking()];
  for (const each of several) await press(each, 'withdraw');
  const tried: string[] = [];
  const lossy = async (news: NewsForUser): Promise<void> => {
    tried.push(news.messageId);
    await tell(news);
    if (tried.length === 1) throw new Error('nobody knows');
  };
  expect(await relay(lossy)).toBe(1);
  expect(await relay(lossy)).toBe(1);
  expect(await relay(lossy)).toBe(0);
  expect([tried.length, new Set(tried).size]).toEqual([3, 2]);
  for (const each of several) expect(await told(each)).toHaveLength(1);
});

it('is told later where Temporal is away', async () => {
  const one = await asking();
  await press(one, 'withdraw');
  const away = () => Promise.reject(new TemporalNotInTime());
  await expect(relay(away)).rejects.toBeInstanceOf(TemporalNotInTime);
  expect(await relay()).toBe(1);
  expect(await told(one)).toHaveLength(1);
});

it('is not told of one who has said START, was taken off the list, or had not agreed, nor where the app is enough', async () => {
  const [back, removed, pending, byApp] = [
    await asking(),
    await asking(),
    await asking(),
    await asking({ tellMeBy: 'app' }),
  ];
  await stop(back);
  await stop(back, 'START');
  await press(removed, 'withdraw');
  await world.api.ask('DELETE', `/api/buddy/${removed.buddy.buddyId}`, { who: removed.who });
  await world.api.database.owner.query(
    'UPDATE buddy_contacts SET verified = false, verified_at = NULL WHERE buddy_id = $1',
    [pending.buddy.buddyId],
  );
  await press(pending, 'withdraw');
  await press(byApp, 'withdraw');
  const heard: string[] = [];
  await relay(async (news) => {
    heard.push(news.buddyId);
    await tell(news);
  });
  expect(heard).toEqual([byApp.buddy.buddyId]);
  for (const each of [back, removed, pending, byApp]) expect(await told(each)).toEqual([]);
});

it('is told nothing when erased meanwhile, and nothing is left to tell', async () => {
  const one = await asking();
  await press(one, 'withdraw');
  await world.api.deps.vault.eraseSubject(one.userId, 'system');
  expect(await relay()).toBe(1);
  expect(await told(one)).toEqual([]);
});
