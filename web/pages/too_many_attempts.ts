const MINUTE = 60
const HOUR = 60 * MINUTE

/**
 * For who has guessed too often, right or wrong, at something that is there or not.
 *
 * @param retry_after seconds; said in whole minutes, rounded up, so that whoever waits that long is let in
 */
export function tooManyAttempts(retry_after: number): string {
  return `Too many attempts. Try again in ${span(retry_after)}.`
}

function span(seconds: number): string {
  const minutes = Math.max(1, Math.ceil(seconds / MINUTE))
  if (seconds <= HOUR - MINUTE) return count(minutes, 'minute')
  return count(Math.ceil(seconds / HOUR), 'hour')
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}
