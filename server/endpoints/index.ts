import { authorization } from './authorization.ts'
import { deviceAuthorization } from './device_authorization.ts'
import { discovery } from './discovery.ts'
import { endSession } from './end_session.ts'
import type { Endpoint } from './endpoint.ts'
import { forwardAuth } from './forward_auth.ts'
import { health } from './health.ts'
import { introspection } from './introspection.ts'
import { jwks } from './jwks.ts'
import { protectedResourceMetadata } from './protected_resource_metadata.ts'
import { pushedAuthorizationRequest } from './pushed_authorization_request.ts'
import { registration } from './registration.ts'
import { revocation } from './revocation.ts'
import { revocationStream } from './revocation_stream.ts'
import { sharedSignals, sharedSignalsConfiguration } from './shared_signals.ts'
import { statusList } from './status_list.ts'
import { token } from './token.ts'
import { userinfo } from './userinfo.ts'

const described: readonly Endpoint[] = [
  jwks,
  authorization,
  pushedAuthorizationRequest,
  registration,
  deviceAuthorization,
  token,
  userinfo,
  revocation,
  introspection,
  statusList,
  revocationStream,
  sharedSignals,
  sharedSignalsConfiguration,
  endSession,
  protectedResourceMetadata,
]

/** The registry: every endpoint of the protocol. `app.ts` mounts each in its scope, and discovery describes it. */
export const endpoints: readonly Endpoint[] = [...described, discovery(described), forwardAuth, health]
