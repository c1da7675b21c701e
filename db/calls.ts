/** Mentor calls, from the first fact to the last. */
export { countRecentRequests, openCall, type RequestLimits } from './call-opening';
export {
  type CallPatch,
  type CallRow,
  findCall,
  findCallIdBySid,
  findLiveCall,
  findLiveCallByToken,
  countLiveCalls,
  listCalls,
  liveCalls,
  recordOfCall,
  updateCall,
} from './call-rows';
export { type CallEnd, closeCall, destroyCallNumber } from './call-closing';
