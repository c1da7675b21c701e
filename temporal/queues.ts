/**
 * The task queues. `voice` is apart because the server holds it to the account's calls per second; urgent work
 * overtakes by task priority, not by a queue of its own. Both names can be configured.
 */
export const QUEUES = { main: 'kindline', voice: 'voice' } as const;

/** The name of the schedule that sweeps calls; one per namespace. */
export const CALL_SWEEP_SCHEDULE = 'call-sweep';
