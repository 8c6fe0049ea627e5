/** Text for people. What the server knows may hold anything: no control character of it reaches the terminal. */

const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu

/** One value in one line. */
export function printable(value: unknown): string {
  if (value === null || value === undefined) return '–'
  if (Array.isArray(value)) return value.length === 0 ? '–' : value.map(printable).join(' ')
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.replace(CONTROLS, (found) => `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)
}

/** Rows under their headings, in aligned columns. @param columns heading by member */
export function table(rows: readonly object[], columns: Readonly<Record<string, string>>): string {
  const members = Object.keys(columns)
  const cells = rows.map((row) => members.map((member) => cell(member, Reflect.get(row, member))))
  const lines = [Object.values(columns).map((heading) => heading.toUpperCase()), ...cells]
  const widths = members.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines
    .map((line) =>
      line
        .map((text, column) => text.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** One thing: each member that says something on a line of its own. */
export function details(record: object): string {
  const members = Object.entries(record).filter(([, value]) => value !== null && value !== undefined)
  const width = Math.max(0, ...members.map(([name]) => name.length))
  return members.map(([name, value]) => `${name.padEnd(width)}  ${cell(name, value)}`).join('\n')
}

/** Instants (`…_at`) as dates. @param member whose value it is */
function cell(member: string, value: unknown): string {
  if (typeof value === 'number' && (member === 'at' || member.endsWith('_at'))) return instant(value)
  return printable(value)
}

/** @param at epoch seconds */
export function instant(at: number): string {
  const date = new Date(at * 1000)
  return Number.isNaN(date.getTime()) ? String(at) : date.toISOString().replace('T', ' ').replace('.000Z', 'Z')
}

/** `1 grant`, `2 grants` */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
