import type { FastifyRequest } from 'fastify'
import type { Caller } from '../deps.ts'
import { addressPrefix } from '../protocol/address_prefix.ts'

const MAX_USER_AGENT = 256

/** Who sent a request, as far as the audit trail and the throttle need to know. */
export function callerOf(request: FastifyRequest): Caller {
  // Who has hung up meanwhile has no address any more, whatever the type says.
  const ip: string | undefined = request.ip
  return {
    address_prefix: addressPrefix(ip ?? ''),
    user_agent: request.headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
    request_id: request.id,
  }
}
