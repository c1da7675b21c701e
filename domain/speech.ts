import type VoiceResponse from 'twilio/lib/twiml/VoiceResponse';
import { isRecording, type Prompts } from './prompts';

/** Where sentences may stand: in a document, or in a `<Gather>`, which a key cuts short. */
type Speaker = VoiceResponse | VoiceResponse.Gather;

/** Has a sentence of ours said, or its recording played. */
export function speak(into: Speaker, prompts: Pick<Prompts, 'speech'>, sentence: string): void {
  if (isRecording(sentence)) into.play(sentence);
  else sayWords(into, prompts, sentence);
}

/** Has words said that are not ours: whatever they begin with, they are never the address of a recording. */
export function sayWords(into: Speaker, { speech }: Pick<Prompts, 'speech'>, words: string): void {
  // Not by `say`, which takes only the voices that the package knew when it was made: Twilio adds some every few months.
  into.addChild('Say', { voice: speech.voice, language: speech.language }).addText(words);
}
