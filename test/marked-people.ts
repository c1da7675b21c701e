/**
 * People who exist only in tests and whose data is looked for afterwards, in everything the service has left
 * behind. Numbers are from the ranges kept free for fiction.
 */
export const MARKED = {
  userPhone: '+14155550142',
  otherUserPhone: '+14155550143',
  mentorPhone: '+15105550176',
  otherMentorPhone: '+15105550177',
  britishPhone: '+442079460142',
  mentorName: 'Zephyrine Quillfeather',
  otherMentorName: 'Ottoline Marshgrave',
  email: 'zephyrine.quillfeather@example.org',
  address: '17 Quillfeather Lane, Marshgrave',
  /** What a message says, a template's variable, and what somebody answers or reports by text. */
  messageWords: 'the lantern by the old harbour is lit',
  variable: 'Thessaly Brookwater',
  replyWords: 'nobody but the heron has come by today',
} as const;
