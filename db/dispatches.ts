/** Dispatches, by what is done with them: rows, claims, outcomes. */
export {
  type Dispatch,
  type DispatchState,
  ensureDispatch,
  findDispatch,
  type NewDispatch,
  senderOf,
  withdrawUnmade,
} from './dispatch-rows';
export {
  claim,
  type ClaimedDispatch,
  giveBack,
  latestEventFor,
  overdueDispatches,
  sidsOwnedByOthers,
  suppress,
  waitsForLine,
} from './dispatch-claims';
export {
  abandon,
  type Accepted,
  adoptCallSid,
  closeAbandoned,
  forgetOldRecipients,
  knowsSid,
  markLost,
  noteDoubled,
  noteReceiptSid,
  settleAccepted,
  settleRefused,
  settleUnknown,
} from './dispatch-outcomes';
