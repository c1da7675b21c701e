/** Voice alerts, from the first fact to the last. */
export { type AlertLegEnd, closeAlertLeg, openAlertLeg } from './alert-legs';
export {
  type AlertEnd,
  closeAlert,
  deleteOldAlerts,
  destroyAlertNumbers,
  giveAlertNumbersAway,
  openAlert,
} from './alert-course';
export {
  type AlertRow,
  type AlertToClose,
  alertsToClose,
  findAlert,
  listAlerts,
  callsOfAlert,
  recipientsOfAlert,
} from './alert-rows';
