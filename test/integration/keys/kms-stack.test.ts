/** The whole service with its root key in KMS and its settings in Secrets Manager; KMS goes away and comes back. */
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { randomUUID } from 'node:crypto';
import { AppUser, addMentor, READY_MENTOR, READY_USER } from '../calls/people';
import { MARKED } from '../../marked-people';
import { describeWithMoto, type Moto, MOTO_CREDENTIALS } from '../../moto';
import { eventually, startStack, type TestStack } from '../../stack';
import { type Gate, kmsRing, makeRootKey, startGate, startKms } from './kms';

const { userPhone, mentorPhone } = MARKED;

async function putSecret(url: string, name: string, values: object): Promise<void> {
  const client = new SecretsManagerClient({ endpoint: url, region: MOTO_CREDENTIALS.AWS_REGION });
  await client.send(new CreateSecretCommand({ Name: name, SecretString: JSON.stringify(values) }));
  client.destroy();
}

describeWithMoto('the service with its root key in KMS', () => {
  let moto: Moto;
  let gate: Gate;
  let arn: string;
  let stack: TestStack;

  beforeAll(async () => {
    moto = await startKms();
    arn = await makeRootKey(moto.url);
    gate = await startGate(moto.port);
    await putSecret(moto.url, 'kindline', { KEY_RING: 'kms', KMS_KEY_ID: arn, KINDLINE_UNKNOWN: 'x' });
    stack = await startStack({
      env: {
        ...MOTO_CREDENTIALS,
        KMS_ENDPOINT: gate.url,
        SECRETS_SOURCE: 'secrets-manager:kindline',
        SECRETS_ENDPOINT: moto.url,
      },
    });
    await stack.sim.settings({ wordMs: 2 });
  });
  afterAll(async () => {
    gate.set('open');
    await stack.stop();
    await gate.close();
    await moto.stop();
  });

  const saveNumber = (who: { role: 'user'; subject: string }) =>
    stack.api('/contact-points', { json: { phoneNumber: userPhone } }, who);
  const anybody = () => ({ role: 'user', subject: randomUUID() }) as const;
  const count = async (table: 'subject_keys' | 'vault_records' | 'contact_points') =>
    (await stack.pool.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${table}`)).rows[0]?.n;

  it.each([
    ['api', 'api ready'],
    ['worker', 'worker ready'],
  ] as const)(
    '%s starts when KMS comes back, and says where its key and its credentials are',
    async (part, message) => {
      const lines = (text: string) => (stack.logs()[part] ?? '').split('\n').filter((line) => line.includes(text));
      const before = lines('the service keys cannot be loaded yet').length;
      gate.set('closed');
      const restarting = stack.restart(part);
      await eventually(() => expect(lines('the service keys cannot be loaded yet').length).toBeGreaterThan(before));
      gate.set('open');
      await restarting;
      const ready = lines(`"msg":"${message}"`).at(-1) ?? '{}';
      expect(JSON.parse(ready)).toMatchObject({ keyRing: 'kms', secrets: 'secrets-manager' });
    },
  );

  it('connects a masked call with numbers that only KMS can open', async () => {
    await addMentor(stack, mentorPhone);
    const user = new AppUser(stack, userPhone);
    await stack.sim.script(userPhone, READY_USER);
    await stack.sim.script(mentorPhone, READY_MENTOR);
    await user.start();
    await user.status('connected');
    await stack.sim.hangUp(userPhone);
    expect(await user.end()).toMatchObject({ status: 'completed' });

    const { rows } = await stack.pool.query<{ subject_id: string; ring: string; root_key_id: string; wrapped: Buffer }>(
      `SELECT subject_id, ring, root_key_id, wrapped FROM subject_keys`,
    );
    expect(rows.length).toBeGreaterThan(1);
    const ring = kmsRing(moto.url, arn);
    for (const { subject_id: subject, wrapped: bytes, ...row } of rows) {
      expect(row).toEqual({ ring: 'kms', root_key_id: arn });
      const wrapped = { ring: 'kms', rootKeyId: arn, bytes } as const;
      expect(await ring.unwrap(wrapped, { subject, purpose: 'subject-key' })).toHaveLength(32);
    }
  });

  it('answers 503 with helplines while KMS is down, keeps no half of anything, and goes on when it is back', async () => {
    const who = anybody();
    expect((await saveNumber(anybody())).status).toBe(201);
    const before = [await count('subject_keys'), await count('vault_records'), await count('contact_points')];
    gate.set('closed');
    const refused = await saveNumber(who);
    expect(refused.status).toBe(503);
    expect(refused.body).toMatchObject({ code: 'temporarily-unavailable', helplines: { crisis: expect.anything() } });
    expect([await count('subject_keys'), await count('vault_records'), await count('contact_points')]).toEqual(before);
    gate.set('open');
    const { body } = await eventually(async () => {
      const answer = await saveNumber(who);
      expect(answer.status).toBe(201);
      return answer;
    });
    const saved = await stack.api('/contact-points', {}, who);
    expect(saved.body.contactPoints).toEqual([expect.objectContaining({ contactPointId: body.contactPointId })]);
  });

  it('writes neither ARN nor AWS’s words into a log', () => {
    const logs = Object.values(stack.logs()).join('\n');
    expect(logs).toContain('key-ring-unavailable');
    for (const word of ['arn:aws', MOTO_CREDENTIALS.AWS_SECRET_ACCESS_KEY, 'ECONNRESET']) {
      expect(logs).not.toContain(word);
    }
  });
});
