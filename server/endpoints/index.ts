import { discovery } from './discovery.ts'
import type { Endpoint } from './endpoint.ts'
import { health } from './health.ts'
import { introspection } from './introspection.ts'
import { jwks } from './jwks.ts'
import { revocation } from './revocation.ts'
import { token } from './token.ts'

const described: readonly Endpoint[] = [jwks, token, revocation, introspection]

/** The registry: every endpoint of the protocol. `app.ts` mounts each in its scope, and discovery describes it. */
export const endpoints: readonly Endpoint[] = [...described, discovery(described), health]
