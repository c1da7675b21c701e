import { relative } from 'node:path';
import { createCoverageMap, type CoverageMap, type FileCoverageData } from 'istanbul-lib-coverage';
import { createContext } from 'istanbul-lib-report';
import reports from 'istanbul-reports';
import { COVERAGE_GROUPS, type CoverageGroup, NOT_COUNTED } from './coverage-groups';
import type { LineCoverage } from './coverage-lines';

/** How much of one group has run. */
export interface GroupResult {
  readonly group: CoverageGroup;
  readonly files: readonly FileResult[];
  readonly lines: number;
  readonly ran: number;
  /** Percent, not rounded; 0 for a group without lines, which would otherwise promise nothing. */
  readonly percent: number;
  readonly isEnough: boolean;
}

interface FileResult {
  readonly path: string;
  readonly lines: number;
  readonly ran: number;
}

/** @param root what the paths of the groups start from; sources outside of it do not count */
export function judge(coverage: LineCoverage, root: string): GroupResult[] {
  const files = countedFiles(coverage, root);
  return COVERAGE_GROUPS.map((group) => {
    const own = files.filter(({ path }) => group.files.test(path));
    const lines = sum(own.map((file) => file.lines));
    const ran = sum(own.map((file) => file.ran));
    const percent = lines === 0 ? 0 : (100 * ran) / lines;
    return { group, files: own, lines, ran, percent, isEnough: percent >= group.atLeast };
  });
}

/** One line per group, then the files in which most is missing. */
export function table(results: readonly GroupResult[], worst = 8): string[] {
  const rows = results.map(({ group, files, lines, percent, isEnough }) =>
    [
      isEnough ? 'ok    ' : 'FAILED',
      group.name.padEnd(14),
      `${percent.toFixed(1).padStart(5)} % of ${String(lines).padStart(5)} lines in ${String(files.length).padStart(3)} files`,
      `(at least ${group.atLeast} %)`,
    ].join(' '),
  );
  const gated = results.filter(({ group }) => group.files.source !== '.');
  return ['Coverage of lines:', ...rows, ...missing('all files', results[0]?.files ?? [], worst), ...worstOf(gated)];
}

/** Of each group that has its own gate, what is below it. */
function worstOf(results: readonly GroupResult[]): string[] {
  return results.flatMap(({ group, files }) => {
    const below = files.filter(({ lines, ran }) => (100 * ran) / lines < group.atLeast);
    return missing(group.name, below, 3);
  });
}

function missing(name: string, files: readonly FileResult[], count: number): string[] {
  const most = files.filter(({ lines, ran }) => ran < lines).toSorted((a, b) => b.lines - b.ran - (a.lines - a.ran));
  if (most.length === 0) return [];
  const named = most.slice(0, count).map(({ path, lines, ran }) => `${path} ${lines - ran} of ${lines}`);
  return [`       most missing in ${name}: ${named.join(', ')}`];
}

/** `lcov.info` and pages to read. @param dir is made when it is not there */
export function writeReports(coverage: LineCoverage, root: string, dir: string): void {
  const counted = new Set(countedFiles(coverage, root).map(({ path }) => path));
  const coverageMap = istanbulMap(coverage.entries().filter(([source]) => counted.has(relative(root, source))));
  const context = createContext({ dir, coverageMap, defaultSummarizer: 'nested' });
  reports.create('lcov', { projectRoot: root }).execute(context);
}

/** Istanbul knows statements, not lines: each line becomes one. */
function istanbulMap(entries: ReturnType<LineCoverage['entries']>): CoverageMap {
  const files = entries.map(([path, lines]): [string, FileCoverageData] => {
    const statements = [...lines].map(([line, ran], index) => ({ key: String(index), line, ran }));
    return [
      path,
      {
        path,
        statementMap: Object.fromEntries(
          statements.map(({ key, line }) => [key, { start: { line, column: 0 }, end: { line, column: 1000 } }]),
        ),
        s: Object.fromEntries(statements.map(({ key, ran }) => [key, ran ? 1 : 0])),
        fnMap: {},
        f: {},
        branchMap: {},
        b: {},
      },
    ];
  });
  return createCoverageMap(Object.fromEntries(files));
}

function countedFiles(coverage: LineCoverage, root: string): FileResult[] {
  return coverage
    .entries()
    .map(([source, lines]) => ({
      path: relative(root, source),
      lines: lines.size,
      ran: [...lines.values()].filter((ran) => ran).length,
    }))
    .filter(({ path }) => !path.startsWith('..') && !NOT_COUNTED.some(({ files }) => files.test(path)))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}
