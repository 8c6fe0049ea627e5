import type { Cli } from './cli.ts'
import { CliError } from './exit.ts'
import { printable } from './output.ts'

export interface Exchange {
  readonly method: string
  readonly url: string
  readonly request: unknown
  readonly status: number
  readonly response: unknown
}

export interface TourStep {
  readonly step: number
  readonly title: string
  readonly exchanges: Exchange[]
}

/** Tells what a tour does while it does it, and holds it to what should come of it. */
export interface Narrator {
  readonly steps: readonly TourStep[]
  step(title: string): void
  say(text: string): void
  exchange(method: string, url: string, request: unknown, status: number, response: unknown): void
  /** @throws {CliError} when something else came of it */
  expect(as_expected: boolean, expected: string, remedy?: string): void
  required<T>(value: T | undefined, expected: string): T
}

/** Written as it happens; with `--json` it is only collected, in `steps`. */
export function createNarrator({ io, options }: Cli): Narrator {
  const steps: TourStep[] = []
  const write = (text: string) => {
    if (!options.json) io.stdout.write(`${text}\n`)
  }
  const expect: Narrator['expect'] = (as_expected, expected, remedy) => {
    if (as_expected) return
    const { step, title, exchanges } = steps.at(-1) ?? { step: 0, title: '', exchanges: [] }
    const status = exchanges.at(-1)?.status
    const got = status === undefined ? '' : ` (status ${status})`
    throw new CliError(
      'failed',
      `Step ${step}, "${title}": expected ${expected}, and got something else${got}.`,
      remedy,
    )
  }
  return {
    steps,
    step(title) {
      steps.push({ step: steps.length + 1, title, exchanges: [] })
      write(`\n${steps.length}. ${title}`)
    },
    say(text) {
      write(text.replaceAll(/^/gm, '   '))
    },
    exchange(method, url, request, status, response) {
      const shown = { request: shorten('', request), response: shorten('', response) }
      steps.at(-1)?.exchanges.push({ method, url, status, ...shown })
      write(`   → ${method} ${url}${inLine(shown.request)}`)
      write(`   ← ${status}${inLine(shown.response)}`)
    },
    expect,
    required(value, expected) {
      expect(value !== undefined, expected)
      if (value === undefined) throw new CliError('failed', `${expected} is missing.`)
      return value
    },
  }
}

function inLine(body: unknown): string {
  return body === undefined ? '' : ` ${printable(body)}`
}

const SECRETS: readonly string[] = ['password', 'client_secret']
const LONGEST = 48

/** A body fit to be shown: no secret, and of a token its two ends, which tell tokens apart and open nothing. */
function shorten(name: string, value: unknown): unknown {
  if (SECRETS.includes(name)) return '***'
  if (typeof value === 'string') return value.length > LONGEST ? `${value.slice(0, 18)}…${value.slice(-6)}` : value
  if (Array.isArray(value)) return value.map((item) => shorten(name, item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([member, of]) => [member, shorten(member, of)]))
}
