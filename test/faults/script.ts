/** What a script starts, it ends: the part of a test's context that the helpers ask for. */
export interface Teardown {
  teardown(handler: () => unknown): void
}

/** @returns the URL of a PostgreSQL database of the script's own, or undefined for an SQLite file */
export async function openEngine(t: Teardown, engine: string): Promise<string | undefined> {
  if (engine === 'sqlite') return undefined
  // Loaded only when it is needed: the package hooks into the end of the process.
  const { openDatabase } = await import('../../bench/postgres.ts')
  return openDatabase((handler) => t.teardown(handler))
}

/** Runs `work`, then every handler that it left, the last one first, however it ended. */
export async function withTeardown<T>(work: (t: Teardown) => Promise<T>): Promise<T> {
  const handlers: (() => unknown)[] = []
  try {
    return await work({ teardown: (handler) => void handlers.unshift(handler) })
  } finally {
    for (const handler of handlers) await handler()
  }
}
