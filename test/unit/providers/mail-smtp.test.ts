import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { SealedValue } from '../../../domain/sealed';
import type { Mail } from '../../../providers/mail';
import { createSmtpMail } from '../../../providers/mail-smtp';

const got: string[] = [];
let answer: { at: 'rcpt' | 'data' | 'auth'; code: number } | 'hang' | null = null;
const refusal = (code: number) => Object.assign(new Error('no somebody@example.org here'), { responseCode: code });
const server = new SMTPServer({
  authOptional: true,
  allowInsecureAuth: true,
  disabledCommands: ['STARTTLS'],
  disableReverseLookup: true,
  onAuth: (_auth, _session, done) =>
    typeof answer === 'object' && answer?.at === 'auth' ? done(refusal(answer.code)) : done(null, { user: 'x' }),
  onRcptTo: (_address, _session, done) =>
    typeof answer === 'object' && answer?.at === 'rcpt' ? done(refusal(answer.code)) : done(),
  onData(stream, _session, done) {
    let text = '';
    stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
    stream.on('end', () => {
      got.push(text);
      if (answer === 'hang') return;
      if (typeof answer === 'object' && answer?.at === 'data') done(refusal(answer.code));
      else done();
    });
  },
});
let port = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  port = (server.server.address() as AddressInfo).port;
});
afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));
beforeEach(() => {
  got.length = 0;
  answer = null;
});

const MAIL: Mail = {
  messageId: '<a-dispatch@kindline.example.org>',
  from: 'Kindline <no-reply@kindline.example.org>',
  to: SealedValue.of('email', 'somebody@example.org'),
  subject: SealedValue.of('text', 'Hello\r\nBcc: other@example.org'),
  text: SealedValue.of('text', 'words'),
  html: SealedValue.of('text', '<p>words</p>'),
  unsubscribeUrl: 'https://api.example.org/unsubscribe/x',
  tags: { dispatch: 'd', message: 'm' },
};
async function send(options: { port?: number; url?: string; requireTls?: boolean } = {}) {
  const url = options.url ?? `smtp://127.0.0.1:${options.port ?? port}`;
  // Only one who hangs is given up soon.
  const timeoutMs = answer === 'hang' ? 700 : 20_000;
  const mail = createSmtpMail({ url, timeoutMs, requireTls: options.requireTls ?? false });
  try {
    return await mail.send(MAIL);
  } finally {
    mail.close();
  }
}

test('a mail goes out with the id it was given, ways out in its headers, and nobody smuggled in', async () => {
  expect(await send()).toEqual({ id: 'a-dispatch@kindline.example.org' });
  const [mail = ''] = got;
  expect(mail).toContain('Message-ID: <a-dispatch@kindline.example.org>');
  expect(mail).toContain('List-Unsubscribe: <https://api.example.org/unsubscribe/x>');
  expect(mail).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click');
  expect(mail).toContain('Auto-Submitted: auto-generated');
  expect(mail).not.toMatch(/^Bcc:/m);
});

test.each([
  [
    { at: 'rcpt', code: 550 },
    { outcome: 'refused', class: 'permanent', code: 550 },
  ],
  [
    { at: 'data', code: 554 },
    { outcome: 'refused', class: 'permanent', code: 554 },
  ],
  [
    { at: 'rcpt', code: 451 },
    { outcome: 'rate-limited', class: 'retry', code: 451 },
  ],
  ['hang', { outcome: 'unknown', class: 'unknown', code: null }],
] as const)('%j is told as %j, without the words of the server', async (given, expected) => {
  answer = given;
  const failed: unknown = await send().catch((error: unknown) => error);
  expect(failed).toMatchObject({ name: 'ProviderError', operation: 'send-mail', ...expected });
  expect(JSON.stringify(failed) + String(failed)).not.toContain('somebody');
});

test('a wrong password stops the line, and no mail is lost by it', async () => {
  answer = { at: 'auth', code: 535 };
  await expect(send({ url: `smtp://user:wrong@127.0.0.1:${port}` })).rejects.toMatchObject({ class: 'stop-line' });
});

test('a server that is not there was sent nothing', async () => {
  await expect(send({ port: 1 })).rejects.toMatchObject({ outcome: 'not-sent' });
});

test('a server without TLS gets nothing where TLS is demanded', async () => {
  await expect(send({ requireTls: true })).rejects.toMatchObject({ name: 'ProviderError' });
  expect(got).toEqual([]);
});
