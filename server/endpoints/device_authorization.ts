import { Type } from 'typebox'
import { countStranger, isStranger } from '../clients/strangers.ts'
import { allowOnly } from '../http/allow.ts'
import { callerOf } from '../http/caller.ts'
import { formOf } from '../http/machine_scope.ts'
import { readAuthorizationDetails } from '../protocol/authorization_details.ts'
import { readScope } from '../protocol/authorization_parameters.ts'
import {
  DEVICE_CODE_GRANT,
  DEVICE_CODE_LABEL,
  type DeviceCode,
  formatUserCode,
  newUserCode,
  USER_CODE_LABEL,
} from '../protocol/device_code.ts'
import { OAuthError } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { randomId } from '../protocol/random_id.ts'
import { findResources, resolveTarget } from '../tokens/resources.ts'
import type { Endpoint, EndpointDeps } from './endpoint.ts'

const parameters = Type.Object({
  scope: Type.Optional(Type.String()),
  resource: Type.Array(Type.String()),
  authorization_details: Type.Optional(Type.String()),
})

const PREFIX = 'gth_dc_'
const DEVICE_CODE_BYTES = 32
/** Two live codes of the same letters: once in millions. So many times in a row: never. */
const MAX_ATTEMPTS = 8

/** @see [RFC 8628 §3.2](https://www.rfc-editor.org/rfc/rfc8628#section-3.2) */
interface DeviceAuthorizationResponse {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
  readonly interval: number
}

/**
 * Gives a device a code to poll with, and one for its person to enter elsewhere.
 *
 * @see [RFC 8628 §3.1](https://www.rfc-editor.org/rfc/rfc8628#section-3.1)
 */
export const deviceAuthorization: Endpoint = {
  name: 'device_authorization_endpoint',
  spec: 'RFC 8628 §3.1',
  scope: 'machine',
  metadata: ({ issuer }) => ({ device_authorization_endpoint: `${issuer}/device_authorization` }),
  plugin: (deps) => async (app) => {
    allowOnly(app, '/device_authorization', 'POST')
    app.post('/device_authorization', async (request) => {
      const form = formOf(request)
      const client = await deps.authenticateClient(request)
      if (!client.grant_types.includes(DEVICE_CODE_GRANT)) {
        throw new OAuthError('unauthorized_client', 'the client is not registered for this grant type')
      }
      const asked = readParameters(parameters, form)
      const { config, clock } = deps
      const scope = readScope(asked.scope, client, config.authorization.default_scope)
      // Whose account it will be is not known yet; what that account may not have falls away when tokens are issued.
      const target = await resolveTarget(deps, { client, account: null }, { resource: asked.resource, scope })
      const resources = await findResources(deps, target.resources)
      const shown = await deps.confirmationOf(request, client)
      const { address_prefix, user_agent } = callerOf(request)
      const authorization_details = readAuthorizationDetails(asked.authorization_details, client, resources)
      const refusal = isStranger(client) && (await countStranger(deps, address_prefix))
      if (refusal) throw refusal
      const now = clock.now()
      return createCodes(deps, {
        client_id: client.client_id,
        grant_id: randomId(deps.random),
        scope: target.scope,
        resources: target.resources,
        authorization_details,
        dpop_jkt: shown !== undefined && 'jkt' in shown ? shown.jkt : null,
        interval_seconds: config.device.interval_seconds,
        last_polled_at: null,
        ...UNDECIDED,
        expires_at: now + config.device.code_seconds,
        created_at: now,
        address_prefix,
        user_agent,
      })
    })
  },
}

const UNDECIDED = {
  claimed_session_id: null,
  approved_at: null,
  denied_at: null,
  account_id: null,
  auth_time: null,
  amr: null,
  acr: null,
  redeemed_at: null,
} as const

async function createCodes(
  deps: EndpointDeps,
  asked: Omit<DeviceCode, 'device_code_digest' | 'user_code_digest'>,
): Promise<DeviceAuthorizationResponse> {
  const { config, random, store, vault } = deps
  const device_code = `${PREFIX}${Buffer.from(random.bytes(DEVICE_CODE_BYTES)).toString('base64url')}`
  const device_code_digest = vault.digest(DEVICE_CODE_LABEL, device_code)
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const letters = newUserCode(random)
    const user_code_digest = vault.digest(USER_CODE_LABEL, letters)
    if ((await store.createDeviceCode({ ...asked, device_code_digest, user_code_digest }, [])) === 'taken') continue
    const user_code = formatUserCode(letters)
    const verification_uri = `${config.issuer}/device`
    return {
      device_code,
      user_code,
      verification_uri,
      verification_uri_complete: `${verification_uri}?user_code=${user_code}`,
      expires_in: config.device.code_seconds,
      interval: config.device.interval_seconds,
    }
  }
  throw new Error('no user code was free')
}
