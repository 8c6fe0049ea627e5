/** What a script starts, it ends: the part of a test's context that the helpers ask for. */
export interface Teardown {
  teardown(handler: () => unknown): void
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
