/**
 * The queue on which phones are rung. It is a queue of its own because the server limits it to the account's calls per
 * second; ending a call, or asking about one, must never wait behind that limit.
 */
export const VOICE_QUEUE = 'voice';
/** On which texts are sent; held to the account's messages per second. Reading and redacting one is not. */
export const MESSAGES_QUEUE = 'messages';
/** On which e-mails are sent: a mail server that hangs must not hold the phones. */
export const MAIL_QUEUE = 'mail';
