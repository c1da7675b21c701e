/** Messages, from the first fact to the last. */
export {
  closeMessage,
  type MessageEnd,
  type MessageNote,
  type MessageStep,
  noteFallback,
  noteHeld,
  noteMessage,
  openMessage,
} from './message-course';
export {
  deleteOldMessages,
  findMessage,
  listMessages,
  messageReceipts,
  type MessageRow,
  messageTries,
} from './message-rows';
