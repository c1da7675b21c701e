import { optional, parseDuration } from './variables';

/** A period within bounds, both included. They and the defaults are those of `domain/retention.ts`; a test compares. */
const period = (fallback: string, atLeast: string, atMost = '3650d') => {
  const [least, most] = [ms(atLeast), ms(atMost)];
  return optional(`a duration from ${atLeast} to ${atMost}`, ms(fallback), (text) => {
    const value = parseDuration(text);
    return value !== null && value >= least && value <= most ? value : null;
  });
};
const ms = (text: string): number => parseDuration(text) ?? Number.NaN;

/** How long things are kept. */
export const retentionVariables = {
  RETENTION_NUMBER_FOR_ONE_CALL: period('24h', '1h', '24h'),
  RETENTION_CALL_LOG: period('90d', '7d'),
  RETENTION_RECORDING: period('30d', '1d', '30d'),
  RETENTION_RECORDING_LINK: period('24h', '1h', '90d'),
  RETENTION_ALERT: period('90d', '1d'),
  RETENTION_MESSAGE_BODY: period('90d', '1d'),
  RETENTION_MESSAGE_LOG: period('90d', '1d'),
  RETENTION_MESSAGE_BATCH: period('90d', '1d'),
  RETENTION_BATCH_ROW: period('7d', '1d', '90d'),
  RETENTION_NUMBER_FOR_ONE_MESSAGE: period('24h', '1h', '7d'),
  RETENTION_CONTACT_POINT_CODE: period('24h', '2h', '90d'),
  RETENTION_INBOUND_TEXT: period('90d', '1d'),
  RETENTION_LIFTED_OPT_OUT: period('90d', '1d'),
  RETENTION_APP_EVENT: period('30d', '2d'),
  RETENTION_WEBHOOK_EVENT: period('90d', '7d'),
  RETENTION_RECIPIENT_OF_DISPATCH: period('90d', '7d'),
  RETENTION_COST_ITEM: period('90d', '30d'),
  RETENTION_CHECK_IN: period('90d', '2d'),
  RETENTION_UNVERIFIED_BUDDY: period('30d', '30d', '365d'),
  RETENTION_ENDED_BUDDY: period('90d', '30d'),
  RETENTION_WELLBEING_SCORE: period('14d', '14d', '90d'),
  RETENTION_WELLBEING_ALERT: period('90d', '7d'),
  RETENTION_SILENT_CONTACT: period('30d', '30d', '365d'),
  RETENTION_ENDED_CONTACT: period('90d', '30d'),
  RETENTION_UNREFERENCED_RECORD: period('7d', '7d', '90d'),
  RETENTION_INCIDENT: period('90d', '1d'),
  RETENTION_SWEEP_RUN: period('90d', '7d'),
};

/** By the names of `domain/retention.ts`; milliseconds. */
export function arrangeRetention(v: Readonly<Record<keyof typeof retentionVariables, number>>) {
  return {
    numberForOneCall: v.RETENTION_NUMBER_FOR_ONE_CALL,
    callLog: v.RETENTION_CALL_LOG,
    recording: v.RETENTION_RECORDING,
    recordingLink: v.RETENTION_RECORDING_LINK,
    alert: v.RETENTION_ALERT,
    messageBody: v.RETENTION_MESSAGE_BODY,
    messageLog: v.RETENTION_MESSAGE_LOG,
    messageBatch: v.RETENTION_MESSAGE_BATCH,
    batchRow: v.RETENTION_BATCH_ROW,
    numberForOneMessage: v.RETENTION_NUMBER_FOR_ONE_MESSAGE,
    contactPointCode: v.RETENTION_CONTACT_POINT_CODE,
    inboundText: v.RETENTION_INBOUND_TEXT,
    liftedOptOut: v.RETENTION_LIFTED_OPT_OUT,
    appEvent: v.RETENTION_APP_EVENT,
    webhookEvent: v.RETENTION_WEBHOOK_EVENT,
    recipientOfDispatch: v.RETENTION_RECIPIENT_OF_DISPATCH,
    costItem: v.RETENTION_COST_ITEM,
    checkIn: v.RETENTION_CHECK_IN,
    unverifiedBuddy: v.RETENTION_UNVERIFIED_BUDDY,
    endedBuddy: v.RETENTION_ENDED_BUDDY,
    wellbeingScore: v.RETENTION_WELLBEING_SCORE,
    wellbeingAlert: v.RETENTION_WELLBEING_ALERT,
    silentContact: v.RETENTION_SILENT_CONTACT,
    endedContact: v.RETENTION_ENDED_CONTACT,
    unreferencedRecord: v.RETENTION_UNREFERENCED_RECORD,
    incident: v.RETENTION_INCIDENT,
    sweepRun: v.RETENTION_SWEEP_RUN,
    /** Fixed. */
    refusedRequest: 86_400_000,
    /** Fixed. */
    mentorException: 90 * 86_400_000,
    /** Fixed. */
    ringNote: 90 * 86_400_000,
    /** Fixed. */
    mentorInvitation: 90 * 86_400_000,
    /** Fixed: nothing here shortens the trail. */
    audit: 7 * 365 * 86_400_000,
  } as const;
}
