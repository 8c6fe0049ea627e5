import { instant, printable } from './output.ts'
import { isInstant, type Member, membersOf } from './token_members.ts'
import { parseJson } from './transport.ts'

export interface DecodedToken {
  readonly header: Readonly<Record<string, unknown>>
  readonly payload: Readonly<Record<string, unknown>>
}

/** Columns are no wider, or one long value would push all the meanings off the screen. */
const WIDEST = 48
const DAY = 86_400

/** What a JWT says, unverified: for people to look at. @returns undefined for anything else */
export function decodeToken(token: string): DecodedToken | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  const [header, payload] = parts.map((part) => parseJson(Buffer.from(part, 'base64url').toString('utf8')))
  return isRecord(header) && isRecord(payload) ? { header, payload } : undefined
}

/** A member, and its instant in words where it is one. */
export interface ExplainedMember extends Member {
  readonly at?: string
  /** `in 4 min 12 s`, `3 d 2 h ago` */
  readonly relative?: string
}

/** @param now epoch seconds */
export function explainedMembers({ header, payload }: DecodedToken, now: number): ExplainedMember[] {
  return [...membersOf('header', header), ...membersOf('payload', payload)].map((member) => {
    const { value } = member
    return isInstant(member)
      ? { ...member, at: instant(Number(value)), relative: relative(Number(value), now) }
      : member
  })
}

/** Each member on a line: its name, what it says, what that means, and who has defined it. @param now epoch seconds */
export function explainToken(decoded: DecodedToken, now: number): string {
  const members = explainedMembers(decoded, now)
  const rows = members.map(({ part, name, value, at, relative, meaning, spec, name_class }) => {
    const shown = at === undefined ? printable(value) : `${printable(value)} (${at}, ${relative})`
    return { part, cells: [printable(name), shown, meaning, [spec, name_class].filter(Boolean).join(', ')] }
  })
  const widths = [0, 1, 2].map((column) => {
    const lengths = rows.map(({ cells }) => cells[column]?.length ?? 0).filter((length) => length <= WIDEST)
    return Math.max(0, ...lengths)
  })
  const lines = (part: Member['part']) =>
    rows
      .filter((row) => row.part === part)
      .map(({ cells }) => `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd())
  return ['Header', ...lines('header'), 'Payload', ...lines('payload')].join('\n')
}

/** How far an instant is from now, in its two largest units. Both in epoch seconds. */
export function relative(at: number, now: number): string {
  const seconds = Math.round(Math.abs(at - now))
  if (seconds === 0) return 'now'
  const units: [number, string][] = [
    [Math.floor(seconds / DAY), 'd'],
    [Math.floor((seconds % DAY) / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'min'],
    [seconds % 60, 's'],
  ]
  const first = units.findIndex(([number]) => number > 0)
  const said = units.slice(first, first + 2).filter(([number]) => number > 0)
  const text = said.map(([number, unit]) => `${number} ${unit}`).join(' ')
  return at > now ? `in ${text}` : `${text} ago`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
