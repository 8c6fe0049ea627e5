/** A door that lets a few in at a time, and a short line before it. First come, first served. */
export interface Gate {
  /**
   * Runs `work` when its turn comes.
   *
   * @returns what `work` gives, or undefined when the line is full and `work` will never run.
   */
  run<T>(work: () => Promise<T>): Promise<T> | undefined
  readonly running: number
  readonly waiting: number
}

/**
 * @param bounds.concurrency how many run at once, at least 1
 * @param bounds.queue_length how many may wait; 0: whoever cannot run at once is turned away
 */
export function createGate(bounds: { concurrency: number; queue_length: number }): Gate {
  const line: (() => void)[] = []
  let running = 0

  async function occupy<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } finally {
      // The place passes straight to the next in line, so that a newcomer cannot slip in between.
      const next = line.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }

  return {
    get running() {
      return running
    },
    get waiting() {
      return line.length
    },
    run(work) {
      if (running < bounds.concurrency) {
        running += 1
        return occupy(work)
      }
      if (line.length >= bounds.queue_length) return undefined
      return new Promise<void>((resolve) => line.push(resolve)).then(() => occupy(work))
    },
  }
}
