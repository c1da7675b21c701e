import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Styles and browser code lie beside this file; the build copies them beside the compiled one. */
export function readAsset(name: string): string {
  return readFileSync(join(__dirname, 'assets', name), 'utf8');
}
