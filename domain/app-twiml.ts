/** What a call from the app hears before it belongs to a workflow. Pure, as `twiml.ts`. */
import VoiceResponse from 'twilio/lib/twiml/VoiceResponse';
import type { Prompts } from './prompts';
import { sayWords, speak } from './speech';
import { gatherKey } from './twiml';

/** Not answered, and so heard and paid by nobody. Only ever the first document of a call. */
export function rejectTwiml(): string {
  const response = new VoiceResponse();
  response.reject();
  return response.toString();
}

/**
 * A consent text, and the question whether they agree. In the app nobody but the user picks up, so that the words may
 * say what this is about.
 * @param prompts of the language of the text
 * @param action asked with the key, or without one
 */
export function agreeTwiml(prompts: Prompts, text: string, action: string): string {
  const response = new VoiceResponse();
  const gather = gatherKey(response, action);
  sayWords(gather, prompts, text);
  speak(gather, prompts, prompts.confirmed.agreeByKey);
  response.hangup();
  return response.toString();
}
