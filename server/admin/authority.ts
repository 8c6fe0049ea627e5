import { Problem } from '../http/problem.ts'
import { scopesLacking } from '../protocol/administration.ts'
import type { Administrator } from './guard.ts'

/** Refuses, with a 403, to put into other hands what the caller does not hold. */
export function refuseToGrant(by: Administrator, given: readonly string[]): void {
  const lacking = scopesLacking(by.scopes, given)
  if (lacking.length === 0) return
  throw new Problem(403, `nobody grants what they lack: ${lacking.join(' ')}`)
}
