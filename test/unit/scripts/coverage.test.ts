import { COVERAGE_GROUPS } from '../../../scripts/coverage-groups';
import { LineCoverage, linesThatRan, MappedScript, type ScriptCoverage } from '../../../scripts/coverage-lines';
import { judge, table } from '../../../scripts/coverage-report';

const CODE = ['function asked() {', '  return 1;', '}', 'function never() {', '  return 2;', '}', 'asked();'].join(
  '\n',
);
/** Each line of the code is line n + 2 of its source, whose first two lines are a comment. */
const MAP = { sources: ['../api/routes.ts'], mappings: 'AAEA;AACA;AACA;AACA;AACA;AACA;AACA' };
const script = new MappedScript(CODE, MAP, '/project/dist/routes.js.map');

const range = (startOffset: number, endOffset: number, count: number) => ({ startOffset, endOffset, count });
const never = CODE.indexOf('function never');
/** As V8 writes it: the whole script first, then functions, each with its own count. */
const RAN: ScriptCoverage = {
  url: 'file:///project/dist/routes.js',
  functions: [
    { ranges: [range(0, CODE.length, 1)] },
    { ranges: [range(0, CODE.indexOf('}') + 1, 1)] },
    { ranges: [range(never, CODE.lastIndexOf('}') + 1, 0)] },
  ],
};

function coverageOf(...runs: ScriptCoverage[]): LineCoverage {
  const coverage = new LineCoverage();
  coverage.expect(script);
  for (const run of runs) coverage.ran(script, run);
  return coverage;
}
const missed = (coverage: LineCoverage) =>
  coverage.entries().flatMap(([, lines]) => [...lines].filter(([, ran]) => !ran).map(([line]) => line));

describe('lines that have run', () => {
  it('are told by the lines of the source, without the function that nobody called', () => {
    expect(coverageOf(RAN).entries()[0]?.[0]).toBe('/project/api/routes.ts');
    expect(missed(coverageOf(RAN))).toEqual([6, 7, 8]);
  });

  it('count as run when one of several processes has run them', () => {
    const other: ScriptCoverage = { ...RAN, functions: [{ ranges: [range(never, CODE.length, 3)] }] };
    expect(missed(coverageOf(RAN, other))).toEqual([]);
  });

  it('are none of a file that no test has loaded', () => {
    expect(missed(coverageOf())).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });

  it('are no comments, whatever says that they have run', () => {
    const coverage = coverageOf(RAN);
    coverage.mark('/project/api/routes.ts', 1);
    expect(coverage.entries()[0]?.[1].has(1)).toBe(false);
  });
});

describe('instrumented code', () => {
  const at = (from: number, to: number) => ({ start: { line: from, column: 0 }, end: { line: to, column: 9 } });

  it('ran on every line of a statement, except where one inside it did not', () => {
    const statementMap = { 0: at(1, 9), 1: at(2, 4), 2: at(6, 8), 3: at(7, 7) };
    expect(linesThatRan({ statementMap, s: { 0: 1, 1: 2, 2: 0, 3: 0 } })).toEqual([1, 2, 3, 4, 5, 9]);
  });
});

describe('a gate', () => {
  it('fails below its percentage, and names the files in which most is missing', () => {
    const results = judge(coverageOf(RAN), '/project');
    const found = results.find(({ group }) => group.name === 'authorisation');
    expect(found).toMatchObject({ lines: 7, ran: 4, isEnough: false });
    expect(table(results).join('\n')).toMatch(/FAILED authorisation +57\.1 %[\s\S]*api\/routes\.ts 3 of 7/);
  });

  it('fails when its pattern finds no file any more', () => {
    const vault = judge(coverageOf(RAN), '/project').find(({ group }) => group.name === 'vault');
    expect(vault).toMatchObject({ lines: 0, isEnough: false });
  });

  it('is 80 % over all and 90 % where a mistake would tell who somebody is or ring twice', () => {
    expect(Object.fromEntries(COVERAGE_GROUPS.map(({ name, atLeast }) => [name, atLeast]))).toEqual({
      all: 80,
      dispatches: 90,
      vault: 90,
      webhooks: 90,
      audit: 90,
      authorisation: 90,
    });
  });
});
