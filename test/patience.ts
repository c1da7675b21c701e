/**
 * How long a test waits for what has to come, in ms. It goes on as soon as that is so; a machine that is busy with other
 * work may take this long, and what never comes fails all the same.
 */
export const PATIENCE_MS = 60_000;
