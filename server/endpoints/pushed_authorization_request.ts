import { countStranger, isStranger } from '../clients/strangers.ts'
import { allowOnly } from '../http/allow.ts'
import { callerOf } from '../http/caller.ts'
import { FROM_ANY_ORIGIN } from '../http/cors.ts'
import { formOf } from '../http/machine_scope.ts'
import { REQUEST_PARAMETERS, readRedirectTarget } from '../protocol/authorization_parameters.ts'
import { OAuthError } from '../protocol/errors.ts'
import type { Form } from '../protocol/parameters.ts'
import { requiresPushedRequests } from '../protocol/profile.ts'
import { pushRequest, receiveRequest, resolveRequest } from '../tokens/authorization_request.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * Takes an authorization request from the client itself, and gives it a name that a browser can carry.
 *
 * @see [RFC 9126](https://www.rfc-editor.org/rfc/rfc9126)
 */
export const pushedAuthorizationRequest: Endpoint = {
  name: 'pushed_authorization_request_endpoint',
  spec: 'RFC 9126 §2',
  scope: 'machine',
  metadata: ({ issuer, profile }) => ({
    pushed_authorization_request_endpoint: `${issuer}/par`,
    require_pushed_authorization_requests: requiresPushedRequests(profile),
  }),
  plugin: (deps) => async (app) => {
    app.post('/par', FROM_ANY_ORIGIN, async (request, reply) => {
      const form = formOf(request)
      const client = await deps.authenticateClient(request)
      // §2.1: the request_uri parameter is rejected.
      if (form.has('request_uri')) throw new OAuthError('invalid_request', 'a request_uri cannot be pushed')
      const { config, clock } = deps
      const { parameters, source } = await receiveRequest(deps, client, form)
      // RFC 9449 §10.1: a proof here stands for dpop_jkt.
      const shown = await deps.confirmationOf(request, client)
      const dpop_jkt = shown !== undefined && 'jkt' in shown ? shown.jkt : null
      // §2.1 step 3: checked as at the authorization endpoint, which checks again: things may change meanwhile.
      const received = { parameters, source: { ...source, pushed: true }, dpop_jkt }
      await resolveRequest(deps, client, received, readRedirectTarget(parameters, client, config.profile))
      const refusal = isStranger(client) && (await countStranger(deps, callerOf(request).address_prefix))
      // RFC 9126 §2.3: 429 for a client that asks too often.
      if (refusal) throw refusal
      const expires_in = config.authorization.pushed_request_seconds
      const request_uri = await pushRequest(deps, {
        client_id: client.client_id,
        parameters: pairsOf(parameters),
        dpop_jkt,
        expires_at: clock.now() + expires_in,
      })
      return reply.code(201).send({ request_uri, expires_in })
    })
    allowOnly(app, '/par', 'POST')
  },
}

/** What is kept: the parameters of the request, and so none that the client has authenticated with. */
function pairsOf(parameters: Form): [string, string][] {
  return REQUEST_PARAMETERS.flatMap((name) =>
    (parameters.get(name) ?? []).map((value): [string, string] => [name, value]),
  )
}
