import { createSnsReader } from '../../../providers/sns-messages';
import { SnsDouble, TOPIC } from '../../sns-double';

let sns: SnsDouble;
beforeAll(async () => {
  sns = await SnsDouble.start();
});
afterAll(() => sns.stop());
afterEach(() => {
  sns.isDown = false;
});

const reader = (now?: () => Date) =>
  createSnsReader({ topics: [TOPIC], standIn: sns.url, ...(now === undefined ? {} : { now }) });
const read = (body: string, by = reader()) => by.read(Buffer.from(body));

test.each(['1', '2'])('a message signed in version %s is read, its certificate fetched once', async (version) => {
  const by = reader();
  const before = sns.fetched;
  const change = { SignatureVersion: version, Subject: 'Amazon SES' };
  const told = await read(sns.notification('what happened', change), by);
  expect(told).toMatchObject({ type: 'Notification', message: 'what happened', confirm: null });
  await read(sns.notification('again'), by);
  expect(sns.fetched - before).toBe(1);
});

test.each([
  ['another message', { Message: 'something else' }],
  ['another id', { MessageId: 'another' }],
  ['another subject', { Subject: 'added' }],
  ['another time', { Timestamp: new Date(0).toISOString() }],
  ['another type', { Type: 'SubscriptionConfirmation' }],
  ['another version', { SignatureVersion: '1' }],
  ['an unknown version', { SignatureVersion: '3' }],
  ['no signature', { Signature: '' }],
  ['another signature', { Signature: Buffer.alloc(256, 1).toString('base64') }],
])('one with %s than was signed is nobody’s', async (_what, after) => {
  expect(await read(sns.notification('what happened', {}, after))).toBeNull();
});

test.each(['', '{}', '[]', 'null', 'not json', '{"Type":"Notification"}'])('%j is no message', async (body) => {
  expect(await read(body)).toBeNull();
});

test('a topic of somebody else, rightly signed by AWS, makes us fetch nothing', async () => {
  const before = sns.fetched;
  const change = { TopicArn: 'arn:aws:sns:eu-west-1:999999999999:kindline-mail' };
  expect(await read(sns.notification('what happened', change))).toBeNull();
  expect(await createSnsReader({ topics: [], standIn: sns.url }).read(Buffer.from(sns.notification('x')))).toBeNull();
  expect(sns.fetched).toBe(before);
});

describe('the certificate', () => {
  const pem = `SimpleNotificationService-${'a1'.repeat(16)}.pem`;

  test.each([
    `http://sns.eu-west-1.amazonaws.com/${pem}`,
    `https://sns.us-east-1.amazonaws.com/${pem}`,
    `https://sns.eu-west-1.amazonaws.com.example.org/${pem}`,
    `https://example.org/sns.eu-west-1.amazonaws.com/${pem}`,
    `https://sns.eu-west-1.amazonaws.com:8443/${pem}`,
    `https://user@sns.eu-west-1.amazonaws.com/${pem}`,
    `https://sns.eu-west-1.amazonaws.com/${pem}?x=1`,
    `https://sns.eu-west-1.amazonaws.com/somewhere/${pem}`,
    'https://sns.eu-west-1.amazonaws.com/SimpleNotificationService.pem',
    `https://kindline-bucket.s3.amazonaws.com/${pem}`,
    'nonsense',
  ])('is fetched from no other place than the topic’s region of SNS: %s', async (url) => {
    const fetched = jest.spyOn(globalThis, 'fetch');
    const body = sns.notification('what happened', { SigningCertURL: url });
    expect(await createSnsReader({ topics: [TOPIC], standIn: null }).read(Buffer.from(body))).toBeNull();
    expect(fetched).not.toHaveBeenCalled();
    fetched.mockRestore();
  });

  test('that of AWS is fetched without a stand-in', async () => {
    const url = `https://sns.eu-west-1.amazonaws.com/${pem}`;
    const fetched = jest.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no network here'));
    const body = sns.notification('what happened', { SigningCertURL: url });
    const reading = createSnsReader({ topics: [TOPIC], standIn: null }).read(Buffer.from(body));
    await expect(reading).rejects.toThrow('no network');
    expect(fetched).toHaveBeenCalledWith(url, expect.objectContaining({ redirect: 'error' }));
    fetched.mockRestore();
  });

  test('that cannot be had now is asked for again: the message may be right', async () => {
    const by = reader();
    sns.isDown = true;
    await expect(read(sns.notification('what happened'), by)).rejects.toThrow('not there');
    sns.isDown = false;
    expect(await read(sns.notification('what happened'), by)).not.toBeNull();
  });

  test('that is not in force is none', async () => {
    const by = reader(() => new Date(Date.now() + 10 * 24 * 3_600_000));
    expect(await read(sns.notification('what happened'), by)).toBeNull();
  });
});

test('a confirmation goes to the topic’s own region, wherever the message says', async () => {
  const fields = { Type: 'SubscriptionConfirmation', Message: 'You have chosen to subscribe', Token: 'a-token' };
  const told = await read(sns.signed({ ...fields, SubscribeURL: 'https://example.org/take-this' }));
  await told?.confirm?.();
  expect(Object.fromEntries(sns.confirmed.at(-1) ?? [])).toEqual({
    Action: 'ConfirmSubscription',
    TopicArn: TOPIC,
    Token: 'a-token',
  });
});
