import type { Measured } from './rig.ts'

/** One line: what was reached, beside what the machine could do at most. */
export interface Line {
  readonly what: string
  readonly reached: string
  readonly limit: string
  readonly ratio: number
  readonly goal: string
  /** Where it is known: what each cost and how long its caller waited. */
  readonly measured?: Measured
}

const HEADINGS = ['', 'reached', 'limit in the same run', 'ratio', 'goal', 'CPU each', 'p50', 'p99']

/** The lines as one Markdown table, its columns aligned. */
export function table(lines: readonly Line[]): string {
  const rows = [HEADINGS, ...lines.map(cellsOf)]
  const widths = HEADINGS.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)))
  const [head = '', ...rest] = rows.map(
    (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`,
  )
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [head, rule, ...rest].join('\n')
}

function cellsOf({ what, reached, limit, ratio, goal, measured }: Line): string[] {
  const each = measured === undefined ? ['', '', ''] : [measured.cpu, measured.p50, measured.p99].map(milliseconds)
  return [what, reached, limit, ratio.toFixed(2), goal, ...each]
}

export function milliseconds(value: number): string {
  return `${value.toFixed(value < 10 ? 2 : 0)} ms`
}

export function perSecond(value: number): string {
  return `${value.toFixed(value < 100 ? 1 : 0)}/s`
}
