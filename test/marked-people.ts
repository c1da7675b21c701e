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
  /** Of a buddy, and of whoever is named to be asked when no buddy answers. */
  relationship: 'fellow bellringer of Saltmarsh',
  note: 'she laughed about the borrowed wheelbarrow',
  buddyPhone: '+16285550183',
  contactName: 'Perpetua Windlass',
  contactPhone: '+16285550184',
  /** From where a button of a page is pressed. */
  ip: '198.51.100.23',
  userAgent: 'Marshgrave/7.3 (a phone by the old harbour)',
  /** Low, and such as no other figure is. */
  score: 31.73091,
} as const;
