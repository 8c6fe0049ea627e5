import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { errorPage } from '../../web/pages/error.ts'
import { findClient } from '../clients/find_client.ts'
import { inLocales, queryOf } from '../http/browser_scope.ts'
import { readBrowserState } from '../http/browser_state.ts'
import { logRefusal, refusalHeaders } from '../http/error_reply.ts'
import { formOf } from '../http/machine_scope.ts'
import { confirmLogout, type EndSessionRequest, logOut } from '../interactions/logout.ts'
import { postLogoutTarget } from '../protocol/end_session.ts'
import { OAuthError } from '../protocol/errors.ts'
import { uiLocalesIn } from '../protocol/locale.ts'
import { type Form, readParameters } from '../protocol/parameters.ts'
import { issuerPath } from '../protocol/server_metadata.ts'
import { verifyIdTokenHint } from '../tokens/id_token_hint.ts'
import type { Endpoint, EndpointDeps } from './endpoint.ts'

const NOT_REGISTERED = 'post_logout_redirect_uri is not registered'

// §2 has logout_hint, too: the browser's own session says more.
const parameters = Type.Object({
  id_token_hint: Type.Optional(Type.String()),
  client_id: Type.Optional(Type.String()),
  post_logout_redirect_uri: Type.Optional(Type.String()),
  state: Type.Optional(Type.String()),
  ui_locales: Type.Optional(Type.String()),
})

/**
 * Signs a person out: here, and at the clients that asked to hear of it.
 *
 * @see [OpenID Connect RP-Initiated Logout 1.0 §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout)
 */
export const endSession: Endpoint = {
  name: 'end_session_endpoint',
  spec: 'RP-Initiated Logout 1.0 §2',
  scope: 'browser',
  metadata: ({ issuer }) => ({
    end_session_endpoint: `${issuer}/logout`,
    backchannel_logout_supported: true,
    backchannel_logout_session_supported: true,
    frontchannel_logout_supported: true,
    frontchannel_logout_session_supported: true,
  }),
  plugin:
    (deps) =>
    async (app, { sendPage }) => {
      const action = `${issuerPath(deps.config.issuer)}/logout`

      const refuse = (error: OAuthError, form: Form, request: FastifyRequest, reply: FastifyReply) => {
        logRefusal(request, error)
        const { status, description } = error
        const mistake = description === NOT_REGISTERED ? 'address' : 'request'
        const page = errorPage({ status, description, reference: request.id, sign_out: { href: action, mistake } })
        return sendPage(refusalHeaders(reply, error), page, status, uiLocalesIn(form))
      }

      app.get('/logout', { config: { popup: true } }, async (request, reply) => {
        const query = queryOf(request)
        const asked = await readRequest(deps, query)
        if (asked instanceof OAuthError) return refuse(asked, query, request, reply)
        const state = await readBrowserState(deps, request)
        const http = { request, reply, sendPage: inLocales(sendPage, asked.ui_locales) }
        return logOut(deps, { asked, state, action }, http)
      })

      // §2: OPs MUST support the use of POST, which a page of the client's sends.
      app.post('/logout', { config: { cross_site: true, popup: true } }, async (request, reply) => {
        const form = formOf(request)
        const asked = await readRequest(deps, form)
        if (asked instanceof OAuthError) return refuse(asked, form, request, reply)
        const state = await readBrowserState(deps, request)
        const http = { request, reply, sendPage: inLocales(sendPage, asked.ui_locales) }
        const logout = { asked, state, action }
        if (form.has('csrf_token')) return confirmLogout(deps, { ...logout, form }, http)
        if (state.session !== undefined) return logOut(deps, logout, http)
        // SameSite=Lax: a form on another site comes without our cookies; the redirect brings them.
        return reply.redirect(`${action}?${queryFrom(form)}`, 303)
      })
    },
}

/** @returns `invalid_request`, for a page: nothing that is not verified is redirected to */
async function readRequest(deps: EndpointDeps, form: Form): Promise<EndSessionRequest | OAuthError> {
  const asked = readParameters(parameters, form)
  const hint = asked.id_token_hint === undefined ? undefined : await verifyIdTokenHint(deps, asked.id_token_hint)
  if (asked.id_token_hint !== undefined && hint === undefined) return refusal('id_token_hint is not valid')
  const client_id = asked.client_id ?? hint?.client_id
  // §2: the OP MUST verify that client_id is the one that the ID token was issued to.
  if (hint !== undefined && hint.client_id !== client_id) return refusal('id_token_hint was issued to another client')
  const client = client_id === undefined ? undefined : await findClient(deps, client_id)
  if (client_id !== undefined && client === undefined) return refusal('client_id is not registered')

  const { post_logout_redirect_uri, state } = asked
  const about = { client, hint, ui_locales: uiLocalesIn(form) }
  if (post_logout_redirect_uri === undefined) return { ...about, target: undefined }
  // §3: without a hint, there MUST be other means of confirming that the target is legitimate.
  if (client === undefined) return refusal('post_logout_redirect_uri needs id_token_hint or client_id')
  // A client that is disabled is not led back to.
  if (client.disabled_at !== null) return { ...about, target: undefined }
  const target = postLogoutTarget(client, post_logout_redirect_uri, state)
  if (target === undefined) {
    const detail = `client ${client.client_id} asked for ${post_logout_redirect_uri}: register it among its post_logout_redirect_uris`
    return refusal(NOT_REGISTERED, detail)
  }
  return { ...about, target }
}

function refusal(description: string, detail?: string): OAuthError {
  return new OAuthError('invalid_request', description, detail === undefined ? {} : { detail })
}

function queryFrom(form: Form): string {
  return new URLSearchParams(
    Object.keys(parameters.properties).flatMap((name) => (form.get(name) ?? []).map((value) => [name, value])),
  ).toString()
}
