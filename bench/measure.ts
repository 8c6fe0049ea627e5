import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { environment } from '../config/load.ts'

/** libuv's pool as the launcher sizes it, unless the shell says otherwise: the limits get the same. */
export const POOL_SIZE = Number(environment().UV_THREADPOOL_SIZE) || Math.max(4, availableParallelism() + 2)

// USER_HZ, which is 100 on every architecture that Node runs on.
const TICKS_PER_SECOND = 100

/**
 * CPU seconds that a process has used so far: all its threads, user and kernel.
 *
 * @see [proc_pid_stat(5)](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html)
 */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The second field is a name in parentheses, and may itself hold anything: utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

/** The value below which a share of the values lies; NaN for none. @param share from 0 to 1 */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}
