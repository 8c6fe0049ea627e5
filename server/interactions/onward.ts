import type { FastifyRequest } from 'fastify'
import { queryOf } from '../http/browser_scope.ts'
import { formatUserCode, readUserCode } from '../protocol/device_code.ts'
import { single } from '../protocol/parameters.ts'

/** Where a person goes who signs in for no paused request. */
export interface Onward {
  /** What the address of the login page says of it. */
  readonly query: string
  /** A path of ours, below the issuer's. */
  readonly path: string
}

/**
 * Where a sign-in leads, as the address of the login page says it: to one of the pages listed here. Never to an address,
 * which anybody could write into a link.
 */
export function onwardOf(request: FastifyRequest): Onward | undefined {
  const query = queryOf(request)
  return single(query, 'then') === 'device' ? toDevice(single(query, 'user_code')) : undefined
}

/** To the page where people let devices in. @param typed perhaps a user code, in any spelling */
export function toDevice(typed: string | undefined): Onward {
  const letters = readUserCode(typed)
  const parameter = letters === undefined ? undefined : `user_code=${formatUserCode(letters)}`
  return {
    query: parameter === undefined ? 'then=device' : `then=device&${parameter}`,
    path: parameter === undefined ? '/device' : `/device?${parameter}`,
  }
}
