import { durationInWords, invitationTimes } from '../../../domain/invitation-times';

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000];

test.each([
  [3 * DAY, '3 days', '3 días'],
  [30 * DAY, '30 days', '30 días'],
  [DAY, '24 hours', '24 horas'],
  [36 * HOUR, '36 hours', '36 horas'],
  [90 * MINUTE, '90 minutes', '90 minutos'],
  [HOUR, '60 minutes', '60 minutos'],
  [45 * SECOND, '45 seconds', '45 segundos'],
  [1_500, '2 seconds', '2 segundos'],
])('%d ms are %s, and in Spanish %s', (ms, en, es) => {
  expect([durationInWords(ms, 'en'), durationInWords(ms, 'es')]).toEqual([en, es]);
});

test('an invitation names the times that are configured', () => {
  const configured = {
    buddies: { checkIn: { spacingMs: 12 * HOUR, reminderAfterMs: 30 * MINUTE } },
    wellbeing: { alertSpacingMs: 5 * DAY },
    retention: { unverifiedBuddy: 60 * DAY },
  };
  expect(invitationTimes(configured, 'en')).toEqual({
    askedEvery: '12 hours',
    alertedEvery: '5 days',
    remindedAfter: '30 minutes',
    keptFor: '60 days',
  });
});
