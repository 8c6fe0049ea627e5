import { Problem } from '../http/problem.ts'

/** Of so many who change one thing in the same moment, each gets through. */
const MOST_ATTEMPTS = 8

/**
 * Merges a change into what is there, and does it again on what is there by then when somebody else was faster: of two
 * changes of different members neither is lost.
 *
 * @param attempt reads, plans and commits; `stale` when what it read has changed since
 * @throws {Problem} 409 when others are faster again and again
 */
export async function onLatest<T>(attempt: () => Promise<T | 'stale'>): Promise<T> {
  for (let attempts = 0; attempts < MOST_ATTEMPTS; attempts += 1) {
    const outcome = await attempt()
    if (outcome !== 'stale') return outcome
  }
  throw changedMeanwhile()
}

export function changedMeanwhile(): Problem {
  return new Problem(409, 'it was changed by somebody else at the same time; try again')
}
