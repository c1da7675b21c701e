import type { Operation } from './openapi-operations';

const TWIML = { 200: { description: 'TwiML.', content: { 'text/xml': null } } } as const;
const ours = (id: string, summary: string) => ({ id, tag: 'Twilio', summary, answers: TWIML }) as const;
/** What only informs. @param whenNot why it may have to come again */
const told = (id: string, summary: string, whenNot: string) =>
  ({
    id,
    tag: 'Twilio',
    summary,
    answers: { 204: { description: 'Stored, or nothing of ours.' }, 503: { description: whenNot } },
  }) as const;

/** Named so that the document is whole; only Twilio can ask these, and only it should. */
export const TWILIO_OPERATIONS = {
  'POST /twiml/connect-mentor': ours('twimlConnectMentor', 'What the user’s leg says next'),
  'POST /twiml/voice-app': ours('twimlVoiceApp', 'What somebody hears who calls from the app'),
  'POST /twiml/mentor-whisper': ours('twimlMentorWhisper', 'What a mentor hears first'),
  'POST /twiml/mentor-confirm': ours('twimlMentorConfirm', 'What follows a mentor’s key'),
  'POST /twiml/alert': ours('twimlAlert', 'What the phone of an alert’s recipient says'),
  'POST /twiml/inbound': ours('twimlInbound', 'What somebody hears who rings one of our numbers'),
  'POST /twiml/inbound-text': ours('twimlInboundText', 'What somebody reads who texts one of our numbers'),
  'POST /call-status': told('callStatus', 'What became of a leg', 'It could not be stored: Twilio comes again.'),
  'POST /recording-status': told(
    'recordingStatus',
    'What became of a recording',
    'It could not be stored: Twilio comes again.',
  ),
  'POST /mail-events': told(
    'mailEvents',
    'What became of an e-mail, by SES through SNS',
    'It could not be checked or stored: SNS comes again.',
  ),
  'POST /message-status': told('messageStatus', 'What became of a text', 'It could not be stored: Twilio comes again.'),
} as const satisfies Partial<Record<string, Operation>>;
