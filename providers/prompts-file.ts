import { readFileSync } from 'node:fs';
import { promptsFor, type PromptsOf } from '../domain/prompts';
import { PromptsError, readPrompts } from '../domain/spoken-words';

/**
 * What is spoken here: our sentences, with those of a file in their place where there is one. Read once, at start.
 *
 * @param path `PROMPTS_FILE`
 * @throws {PromptsError} when it cannot be read, or a sentence of it is not as it must be
 */
export function openPrompts(path: string | null): PromptsOf {
  return path === null ? promptsFor : readPrompts(textOf(path));
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Node's own message would quote the path.
    throw new PromptsError(['expected a file that can be read']);
  }
}
