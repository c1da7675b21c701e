import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Engine } from './engine';
import type { SavedLeg } from './leg';
import type { MailView } from './mail-types';
import type { SavedHandset } from './handsets';
import type { SavedRecording } from './recordings/recording';
import type { SavedTexts } from './texts/texts';

/** What outlives a restart: calls and texts as Twilio would still show them, the phones on the page, the mails. */
export interface SavedState {
  readonly legs: readonly SavedLeg[];
  readonly handsets: readonly SavedHandset[];
  readonly texts: SavedTexts;
  readonly recordings: readonly SavedRecording[];
  readonly mails: readonly MailView[];
}

const NO_TEXTS: SavedTexts = { texts: [], optOuts: [], stickySenders: [] };
/** A crash loses at most this much. */
const SAVE_EVERY_MS = 1_000;

/**
 * Keeps an engine's calls and phones in a file. What was live when the last process ended is over: the
 * telephone network went away under it, and no callback says so, as after an outage of the real one. Texts that
 * waited go on.
 * @returns how to stop, which saves a last time
 */
export function keepCallsIn(file: string, engine: Engine): () => void {
  const saved = read(file);
  if (saved) engine.restore(saved);
  let last = JSON.stringify(engine.state());
  const save = () => {
    const now = JSON.stringify(engine.state());
    if (now === last) return;
    last = now;
    // Renamed into place: a kill in the middle of writing leaves the file of a second ago.
    writeFileSync(`${file}.new`, now, { mode: 0o600 });
    renameSync(`${file}.new`, file);
  };
  mkdirSync(dirname(file), { recursive: true });
  const timer = setInterval(save, SAVE_EVERY_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    save();
  };
}

function read(file: string): SavedState | null {
  try {
    // A file of an earlier version has no texts, no mails and no recordings.
    return { texts: NO_TEXTS, mails: [], recordings: [], ...JSON.parse(readFileSync(file, 'utf8')) };
  } catch {
    // No file yet, or one that cannot be read: these are simulated calls, and starting matters more.
    return null;
  }
}
