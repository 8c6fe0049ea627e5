/** What a command can end with; scripts tell them apart by the exit code. */
export const EXIT_CODES = { failed: 1, usage: 2, not_found: 3, conflict: 4, unreachable: 5 } as const

export type Failure = keyof typeof EXIT_CODES

/** A command that cannot do its work: what happened, and what to do next. */
export class CliError extends Error {
  readonly failure: Failure
  readonly remedy: string | undefined

  constructor(failure: Failure, message: string, remedy?: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CliError'
    this.failure = failure
    this.remedy = remedy
  }
}

/** Why a system call failed: `ECONNREFUSED`; of a failed fetch, what lies below it. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.cause instanceof Error) return reasonOf(error.cause)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
