import type { z } from 'zod';
import { addressList, anyText, duration, optional, webhookUrl, whole } from './variables';

/** The variables of the watchdog, and of whom it tells. */
export const watchdogVariables = {
  WATCHDOG_INTERVAL: duration('60s'),
  WATCHDOG_WINDOW: duration('60m'),
  WATCHDOG_CALM: duration('5m'),
  WATCHDOG_FAILURE_PERCENT: optional('a number from 1 to 100', 5, whole(1, 100)),
  WATCHDOG_FAILURE_CALLS: optional('a number from 1 to 10000', 10, whole(1, 10_000)),
  WATCHDOG_NOBODY_FOR: duration('10m'),
  WATCHDOG_USER_CALLS: optional('a number from 2 to 1000', 6, whole(2, 1_000)),
  WATCHDOG_SHORT_CALLS: optional('a number from 2 to 1000', 3, whole(2, 1_000)),
  WATCHDOG_SHORT_CALL: duration('30s'),
  WATCHDOG_ACCOUNTS: optional('a number from 2 to 1000', 3, whole(2, 1_000)),
  WATCHDOG_TARGET_ACCOUNTS: optional('a number from 1 to 1000', 4, whole(1, 1_000)),
  WATCHDOG_PROVIDER_ERRORS: optional('a number from 1 to 100000', 5, whole(1, 100_000)),
  ALERT_EMAILS: optional('one or more e-mail addresses, separated by commas', [] as readonly string[], addressList),
  ALERT_WEBHOOK_URL: optional('an http or https URL without a name, a password or a fragment', null, webhookUrl),
  ALERT_WEBHOOK_TOKEN: anyText('the token that is sent to ALERT_WEBHOOK_URL'),
  ALERT_WEBHOOK_TIMEOUT: duration('10s'),
};

type Variables = z.output<z.ZodObject<typeof watchdogVariables>>;

export function arrangeWatchdog(v: Variables) {
  return {
    intervalMs: v.WATCHDOG_INTERVAL,
    windowMs: v.WATCHDOG_WINDOW,
    /** How long nothing may be found before an incident is over. */
    calmMs: v.WATCHDOG_CALM,
    limits: {
      failurePercent: v.WATCHDOG_FAILURE_PERCENT,
      failureCalls: v.WATCHDOG_FAILURE_CALLS,
      nobodyForMs: v.WATCHDOG_NOBODY_FOR,
      userCalls: v.WATCHDOG_USER_CALLS,
      shortCalls: v.WATCHDOG_SHORT_CALLS,
      shortCallMs: v.WATCHDOG_SHORT_CALL,
      accounts: v.WATCHDOG_ACCOUNTS,
      targetAccounts: v.WATCHDOG_TARGET_ACCOUNTS,
      providerErrors: v.WATCHDOG_PROVIDER_ERRORS,
    },
    /** Whom incidents are told to. */
    emails: v.ALERT_EMAILS,
    /** Null: none. */
    webhook:
      v.ALERT_WEBHOOK_URL === null
        ? null
        : { url: v.ALERT_WEBHOOK_URL, bearerToken: v.ALERT_WEBHOOK_TOKEN, timeoutMs: v.ALERT_WEBHOOK_TIMEOUT },
  } as const;
}
