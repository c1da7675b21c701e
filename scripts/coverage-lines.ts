import { fileURLToPath } from 'node:url';
import { dirname, resolve } from 'node:path';

/** What V8 counted in one script, as it stands in the files that `NODE_V8_COVERAGE` asks for. */
export interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly ranges: readonly { readonly startOffset: number; readonly endOffset: number; readonly count: number }[];
  }[];
}

/** The parts of a source map (version 3) that lead from compiled code back to lines of its sources. */
export interface SourceMapParts {
  readonly sources: readonly string[];
  readonly sourceRoot?: string | undefined;
  readonly mappings: string;
}

/** One place of compiled code for which its source map names a line. */
interface Place {
  readonly offset: number;
  readonly source: string;
  readonly line: number;
}

/**
 * Which lines of the sources have run, by absolute path. A line counts when the compiler made code of it: comments,
 * types and blank lines are neither run nor missed.
 */
export class LineCoverage {
  private readonly files = new Map<string, Map<number, boolean>>();

  /** Makes the lines of a script known, as not run unless they are known already. */
  expect(script: MappedScript): void {
    for (const { source, line } of script.places) {
      const lines = this.linesOf(source);
      if (!lines.has(line)) lines.set(line, false);
    }
  }

  /** Marks what ran of a script. Lines that are not expected stay unknown. */
  ran(script: MappedScript, coverage: ScriptCoverage): void {
    const counts = countsOf(coverage, script.length);
    for (const { offset, source, line } of script.places) if ((counts[offset] ?? 0) > 0) this.mark(source, line);
  }

  mark(source: string, line: number): void {
    const lines = this.files.get(source);
    if (lines?.has(line) === true) lines.set(line, true);
  }

  /** Every file with its lines in order: whether each has run. */
  entries(): [source: string, lines: ReadonlyMap<number, boolean>][] {
    return [...this.files].map(([source, lines]) => [source, new Map([...lines].toSorted(([a], [b]) => a - b))]);
  }

  private linesOf(source: string): Map<number, boolean> {
    const known = this.files.get(source) ?? new Map<number, boolean>();
    this.files.set(source, known);
    return known;
  }
}

/** How often each statement of a file ran, as instrumented code counts it. */
export interface StatementCounts {
  readonly statementMap: Readonly<Record<string, { readonly start: Position; readonly end: Position }>>;
  readonly s: Readonly<Record<string, number>>;
}
interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * All lines of the statements that ran, not only their first ones: a query or an object is one statement of many
 * lines. A statement inside another decides about its own lines.
 */
export function linesThatRan({ statementMap, s }: StatementCounts): number[] {
  const counts = new Map<number, number>();
  const spanOf = ({ start, end }: { start: Position; end: Position }) => end.line - start.line;
  const outerFirst = Object.entries(statementMap).toSorted(([, a], [, b]) => spanOf(b) - spanOf(a));
  for (const [id, { start, end }] of outerFirst) {
    for (let line = start.line; line <= end.line; line += 1) counts.set(line, s[id] ?? 0);
  }
  return [...counts].filter(([, count]) => count > 0).map(([line]) => line);
}

/** Compiled code whose places are known; made once, however many processes have run it. */
export class MappedScript {
  readonly length: number;
  readonly places: readonly Place[];

  /** @param mapFile where the map stands: its sources are relative to that */
  constructor(code: string, map: SourceMapParts, mapFile: string) {
    this.length = code.length;
    const sources = map.sources.map((source) => sourcePath(source, map.sourceRoot ?? '', mapFile));
    this.places = placesOf(code, map.mappings, sources);
  }
}

function sourcePath(source: string, root: string, mapFile: string): string {
  return source.startsWith('file:') ? fileURLToPath(source) : resolve(dirname(mapFile), root, source);
}

/** How often each character ran. V8 lists outer ranges before the ones within, and the innermost one is right. */
function countsOf({ functions }: ScriptCoverage, length: number): Uint8Array {
  // What no range speaks of belongs to a function that V8 never saw: it has not run.
  const counts = new Uint8Array(length);
  const ranges = functions.flatMap((one) => one.ranges);
  for (const { startOffset, endOffset, count } of ranges.toSorted(outerFirst)) {
    counts.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  }
  return counts;
}

function outerFirst(
  a: { startOffset: number; endOffset: number },
  b: { startOffset: number; endOffset: number },
): number {
  return a.startOffset - b.startOffset || b.endOffset - a.endOffset;
}

function placesOf(code: string, mappings: string, sources: readonly string[]): Place[] {
  const places: Place[] = [];
  const lineStarts = startsOf(code);
  let [source, line] = [0, 0];
  for (const [generatedLine, segments] of mappings.split(';').entries()) {
    let column = 0;
    for (const segment of segments.split(',')) {
      const [columnStep, sourceStep, lineStep] = readVlq(segment);
      if (columnStep === undefined) continue;
      column += columnStep;
      if (sourceStep === undefined || lineStep === undefined) continue;
      source += sourceStep;
      line += lineStep;
      const path = sources[source];
      const start = lineStarts[generatedLine];
      if (path !== undefined && start !== undefined)
        places.push({ offset: start + column, source: path, line: line + 1 });
    }
  }
  return places;
}

function startsOf(code: string): number[] {
  const starts = [0];
  for (let at = code.indexOf('\n'); at !== -1; at = code.indexOf('\n', at + 1)) starts.push(at + 1);
  return starts;
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Numbers as a source map writes them: base 64, five bits each, the lowest bit of the first is the sign. */
function readVlq(text: string): number[] {
  const numbers: number[] = [];
  let [value, shift] = [0, 0];
  for (const character of text) {
    const digit = BASE64.indexOf(character);
    value += (digit & 31) << shift;
    if ((digit & 32) !== 0) {
      shift += 5;
      continue;
    }
    numbers.push((value & 1) === 1 ? -(value >> 1) : value >> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}
