/**
 * The queue on which phones are rung. It is a queue of its own because the server limits it to the account's calls per
 * second; ending a call, or asking about one, must never wait behind that limit.
 */
export const VOICE_QUEUE = 'voice';
