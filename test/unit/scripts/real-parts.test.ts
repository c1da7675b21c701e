import { VARIABLE_NAMES } from '../../../config/config';
import { OF_PARTS, realParts } from '../../../scripts/real-parts';

const TWILIO = {
  TWILIO_ACCOUNT_SID: 'an account',
  TWILIO_AUTH_TOKEN: 'a token',
  TWILIO_PHONE_NUMBER: '+14155550100',
  TWILIO_WEBHOOK_BASE_URL: 'https://tunnel.example',
};

describe('npm start passes on', () => {
  test.each(VARIABLE_NAMES.filter((name) => !OF_PARTS.includes(name)))('%s as it is set', (name) => {
    expect(realParts({ [name]: 'as it is set' }).env[name]).toBe('as it is set');
  });

  test.each(OF_PARTS.filter((name) => /^TWI(LIO|ML)_/.test(name) && !name.endsWith('_BASE_URL')))(
    '%s with a real account',
    (name) => {
      expect(realParts({ ...TWILIO, [name]: 'as it is set' }).env[name]).toBe('as it is set');
    },
  );

  test('no setting of its parts while they are its own, and nothing that is no setting', () => {
    const { env, isTwilio } = realParts({ PORT: '1', TEMPORAL_UI_URL: 'elsewhere', SOMETHING_ELSE: 'of the shell' });
    expect([Object.keys(env).filter((name) => !name.startsWith('ESCALATION_')), isTwilio]).toEqual([[], false]);
  });

  test('no stand-in for Twilio beside a real account', () => {
    expect(realParts({ ...TWILIO, TWILIO_API_BASE_URL: 'elsewhere' }).env.TWILIO_API_BASE_URL).toBe('');
  });

  test('no sample of a privacy policy where somebody is really reached, and one’s own everywhere', () => {
    const own = { PRIVACY_POLICY_URL: 'https://example.org/privacy' };
    for (const reached of [TWILIO, { MAIL_SMTP_URL: 'smtp://mail.example' }, { AWS_SES_REGION: 'eu-west-1' }]) {
      expect(realParts(reached).env.PRIVACY_POLICY_URL).toBe('');
      expect(realParts({ ...reached, ...own }).env).toMatchObject(own);
    }
    expect(realParts({}).env).not.toHaveProperty('PRIVACY_POLICY_URL');
  });

  test('what AWS’s SDK reads by itself', () => {
    expect(realParts({ AWS_PROFILE: 'ours' }).env.AWS_PROFILE).toBe('ours');
  });
});

test('only what can be configured is called a setting of a part', () => {
  expect(OF_PARTS.filter((name) => !VARIABLE_NAMES.includes(name))).toEqual([]);
});

test('an account by half is refused, with the names of what is missing', () => {
  expect(() => realParts({ TWILIO_ACCOUNT_SID: 'an account', TWILIO_PHONE_NUMBER: '+14155550100' })).toThrow(
    'TWILIO_AUTH_TOKEN and TWILIO_WEBHOOK_BASE_URL',
  );
});

test('production is refused: it puts no parts of its own', () => {
  expect(() => realParts({ NODE_ENV: 'production' })).toThrow('NODE_ENV=production');
});
