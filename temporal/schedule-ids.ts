/** The names of the schedules; one of each per namespace. Queue names are configuration. */
export const CALL_SWEEP_SCHEDULE = 'call-sweep';
export const COST_SWEEP_SCHEDULE = 'cost-sweep';
export const RETENTION_SWEEP_SCHEDULE = 'retention-sweep';
export const AUDIT_SEAL_SCHEDULE = 'audit-seal';
export const WATCHDOG_SCHEDULE = 'watchdog';
