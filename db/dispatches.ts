/** Dispatches, by what is done with them: rows, claims, outcomes. */
export {
  type Dispatch,
  DISPATCH_STATES,
  type DispatchState,
  ensureDispatch,
  findDispatch,
  type NewDispatch,
  withdrawUnmade,
} from './dispatch-rows';
export {
  type BusyBecause,
  type Claim,
  claim,
  type ClaimedDispatch,
  giveBack,
  latestEventFor,
  overdueDispatches,
  sidsOwnedByOthers,
} from './dispatch-claims';
export {
  abandon,
  type Accepted,
  type Adoption,
  adoptCallSid,
  closeAbandoned,
  markLost,
  noteDoubled,
  settleAccepted,
  settleRefused,
  settleUnknown,
} from './dispatch-outcomes';
