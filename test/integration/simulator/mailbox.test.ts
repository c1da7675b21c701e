import { createTransport, type Transporter } from 'nodemailer';
import { type Rig, startRig } from './rig';

const ANA = 'ana@example.org';

describe('the mailbox', () => {
  let rig: Rig;
  let mails: Transporter;
  beforeAll(async () => {
    rig = await startRig({ smtpPort: 0 });
    mails = createTransport({ host: '127.0.0.1', port: rig.simulator.smtpPort ?? 0, ignoreTLS: true });
  });
  beforeEach(() => rig.fresh());
  afterAll(async () => {
    mails.close();
    await rig.stop();
  });

  const mail = (more: object = {}) =>
    mails.sendMail({
      from: 'Kindline <no-reply@example.org>',
      to: ANA,
      subject: 'Zażółć, a link',
      text: 'Hello Ana',
      html: '<p>Hello <b>Ana</b></p>',
      messageId: '<dispatch-1@example.org>',
      ...more,
    });

  it('keeps every mail as it came, for whom it came', async () => {
    await mail({ headers: { 'X-Kind': 'alert' }, bcc: 'ben@example.org' });
    const [kept] = await rig.phones.mailbox(ANA);
    expect(kept).toMatchObject({
      envelope: { from: 'no-reply@example.org', to: [ANA, 'ben@example.org'] },
      from: 'Kindline <no-reply@example.org>',
      to: ANA,
      subject: 'Zażółć, a link',
      messageId: '<dispatch-1@example.org>',
      text: 'Hello Ana\n',
      html: '<p>Hello <b>Ana</b></p>\n',
      attachments: [],
    });
    expect(kept?.headers).toContainEqual({ name: 'x-kind', value: 'alert' });
    expect(await rig.phones.mailbox('nobody@example.org')).toEqual([]);
  });

  it.each([
    ['mail-recipient', 'refused', 0, { responseCode: 550 }],
    ['mail-recipient', 'busy', 0, { responseCode: 451 }],
    ['mail', 'refused', 0, { responseCode: 554 }],
    ['mail', 'busy', 0, { responseCode: 451 }],
    ['mail', 'reset', 0, { message: 'Connection closed unexpectedly' }],
    ['mail', 'drop-response', 1, { message: 'Connection closed unexpectedly' }],
  ] as const)('%s %s: the sender is told so, and %i mails are kept', async (on, kind, kept, told) => {
    await rig.phones.faults([{ on, kind, to: ANA }]);
    await expect(mail()).rejects.toMatchObject(told);
    expect(await rig.phones.mailbox()).toHaveLength(kept);
    await mail();
    expect(await rig.phones.mailbox()).toHaveLength(kept + 1);
  });

  it('loses a mail that it has taken where the plan says so', async () => {
    await rig.phones.faults([{ on: 'mail', kind: 'lost' }]);
    await mail();
    expect(await rig.phones.mailbox()).toEqual([]);
  });
});
