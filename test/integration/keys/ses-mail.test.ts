/** SES v2 as moto has it: what is sent, what it is called, and what a refusal means. */
import { SealedValue } from '../../../domain/sealed';
import { createSesMail } from '../../../providers/mail-ses';
import { describeWithMoto, MOTO_CREDENTIALS, type Moto, startMoto } from '../../moto';

describeWithMoto('SES', () => {
  let moto: Moto | null = null;
  beforeAll(async () => {
    Object.assign(process.env, MOTO_CREDENTIALS);
    moto = await startMoto();
  });
  afterAll(() => moto?.stop());

  const carrier = () =>
    createSesMail({ region: 'us-east-1', endpoint: moto?.url ?? null, configurationSet: null, timeoutMs: 5_000 });
  const mail = (from: string) => ({
    messageId: '<a-dispatch@kindline.example.org>',
    from,
    to: SealedValue.of('email', 'somebody@example.org'),
    subject: SealedValue.of('text', 'A message for you'),
    text: SealedValue.of('text', 'words'),
    html: SealedValue.of('text', '<p>words</p>'),
    unsubscribeUrl: 'https://api.example.org/unsubscribe/x',
    tags: { dispatch: 'd', message: 'm' },
  });

  it('takes a mail of an address that was verified, and gives it an id', async () => {
    const form = { Action: 'VerifyEmailIdentity', EmailAddress: 'no-reply@kindline.example.org' };
    const verified = await fetch(moto?.url ?? '', {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { Authorization: 'AWS4-HMAC-SHA256 Credential=moto/20260101/us-east-1/ses/aws4_request' },
    });
    expect(verified.status).toBe(200);
    const { id } = await carrier().send(mail('Kindline <no-reply@kindline.example.org>'));
    expect(id).toMatch(/^[\w-]{10,}$/);
  });

  it('refuses one of an address that was not, and quotes nothing of it', async () => {
    const failed: unknown = await carrier()
      .send(mail('nobody@unverified.example.org'))
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ name: 'ProviderError', outcome: 'refused' });
    expect(JSON.stringify(failed) + String(failed)).not.toMatch(/unverified|somebody/);
  });
});
