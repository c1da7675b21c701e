/** One line of the report. Figures of one row have one unit, and `ratio` is ours over the baseline's. */
export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  /** Null where there is nothing to compare with. */
  readonly baseline: number | null;
  readonly ratio: number | null;
  /** As words, e.g. `ratio ≤ 1.3`; null for a row that only informs. */
  readonly target: string | null;
  /** False only when there is a target and it is missed. */
  readonly ok: boolean;
}

/** What a row must hold: its ratio to the baseline, or the figure itself. */
export interface Target {
  readonly of: 'ratio' | 'ours';
  readonly is: '≤' | '≥' | '<';
  readonly than: number;
}

interface Measured {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly baseline?: number;
  readonly target?: Target;
}

/** Judges what was measured. */
export function rowOf({ name, unit, ours, baseline, target }: Measured): BenchRow {
  const ratio = baseline === undefined ? null : ours / baseline;
  const judged = target?.of === 'ratio' ? ratio : ours;
  return {
    name,
    unit,
    ours: rounded(ours),
    baseline: baseline === undefined ? null : rounded(baseline),
    ratio: ratio === null ? null : rounded(ratio),
    target: target === undefined ? null : `${target.of === 'ratio' ? 'ratio ' : ''}${target.is} ${target.than}`,
    ok: target === undefined || (judged !== null && holds(judged, target)),
  };
}

function holds(figure: number, { is, than }: Target): boolean {
  if (is === '≥') return figure >= than;
  return is === '<' ? figure < than : figure <= than;
}

/** Three digits that mean something; what is counted stays whole. */
function rounded(figure: number): number {
  return figure >= 100 ? Math.round(figure) : Number(figure.toPrecision(3));
}

/** The report for a reader: one line a row, columns aligned. */
export function tableOf(rows: readonly BenchRow[]): string {
  const head = ['', 'unit', 'ours', 'baseline', 'ratio', 'target', ''];
  const lines = rows.map(({ name, unit, ours, baseline, ratio, target, ok }) => [
    name,
    unit,
    String(ours),
    baseline === null ? '–' : String(baseline),
    ratio === null ? '–' : `${ratio.toFixed(2)} ×`,
    target ?? '–',
    target === null ? '' : ok ? 'ok' : 'MISSED',
  ]);
  const widths = head.map((title, at) => Math.max(title.length, ...lines.map((line) => line[at]?.length ?? 0)));
  const isText = (at: number) => at < 2 || at > 4;
  return [head, ...lines]
    .map((line) =>
      line
        .map((cell, at) => (isText(at) ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
