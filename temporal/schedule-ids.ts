/** The name of the schedule that sweeps calls; one per namespace. Queue names are configuration. */
export const CALL_SWEEP_SCHEDULE = 'call-sweep';
