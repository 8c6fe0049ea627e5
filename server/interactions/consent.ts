import type { FastifyPluginAsync } from 'fastify'
import { shownClient } from '../../web/pages/client.ts'
import { type ConsentForm, consentPage } from '../../web/pages/consent.ts'
import type { Caller, Deps } from '../deps.ts'
import type { PageOptions } from '../http/browser_scope.ts'
import { assertCsrf, csrfToken } from '../http/browser_state.ts'
import { callerOf } from '../http/caller.ts'
import { formOf } from '../http/machine_scope.ts'
import { auditRecord } from '../observe/audit.ts'
import { claimsAskedFor, mergeConsent, redirectHost } from '../protocol/consent.ts'
import { single } from '../protocol/parameters.ts'
import { parseScope } from '../protocol/scope.ts'
import { builtInResources } from '../tokens/resources.ts'
import { atStep, goOn, type SignedInRequest } from './at_step.ts'
import { stepPath } from './dispatch.ts'
import { cancel } from './paused_request.ts'

/**
 * A person allows a client what it asks for, or does not. The answer counts for the session, the paused request and the
 * client that it was given for; what was allowed is remembered for the account.
 *
 * @see [OpenID Connect Core 1.0 §3.1.2.4](https://openid.net/specs/openid-connect-core-1_0.html#Consent)
 */
export function consent(deps: Deps): FastifyPluginAsync<PageOptions> {
  return async (app, options) => {
    app.get(
      '/consent',
      { config: { popup: true } },
      atStep(deps, 'consent', options, async (paused, { reply, sendPage }) =>
        sendPage(reply, consentPage(await formFor(deps, paused))),
      ),
    )

    app.post(
      '/consent',
      { config: { popup: true } },
      atStep(deps, 'consent', options, async (paused, http) => {
        const form = formOf(http.request)
        // Of this session: what was shown to somebody else is not answered for them.
        assertCsrf(deps, paused.state, form)
        const decision = single(form, 'decision')
        if (decision === 'deny') {
          await deps.store.appendAudit([audit(deps, 'consent.denied', paused, callerOf(http.request))])
          return cancel(deps, paused, http)
        }
        if (decision === 'approve') await approve(deps, paused, callerOf(http.request))
        return goOn(deps, paused, http.reply)
      }),
    )
  }
}

async function formFor(deps: Deps, { state, request, client, interaction }: SignedInRequest): Promise<ConsentForm> {
  const before = await deps.store.findConsent(state.account.account_id, client.client_id)
  const known = before && (parseScope(before.scope) ?? [])
  const { default_resource } = builtInResources(deps.config)
  return {
    action: stepPath(deps, 'consent', interaction.interaction_id),
    csrf_token: csrfToken(deps, state),
    client: shownClient(client),
    redirect_host: redirectHost(request.redirect_uri),
    account: state.account,
    scopes: (parseScope(request.scope) ?? []).map((name) => ({ name, is_new: known && !known.includes(name) })),
    claims: claimsAskedFor(request.claims),
    // The default one is nothing that a person knows by its name.
    resources: request.resources.filter((resource) => resource !== default_resource),
    authorization_details: request.authorization_details,
    form_action: [request.redirect_uri],
  }
}

async function approve(deps: Deps, paused: SignedInRequest, caller: Caller): Promise<void> {
  const { request, client, interaction, state } = paused
  const now = deps.clock.now()
  const parties = { account_id: state.account.account_id, client_id: client.client_id }
  const before = await deps.store.findConsent(parties.account_id, parties.client_id)
  const change = { consent: mergeConsent(parties, request, before, now), before }
  const outcome = await deps.store.saveConsent(change, [audit(deps, 'consent.granted', paused, caller)])
  // Withdrawn, or given elsewhere, while this was sent: they are asked again where that is not what they saw.
  if (outcome === 'consent_changed') return
  await deps.store.updateInteraction(interaction.interaction_id, {
    consented_at: now,
    consented_session_id: state.session.session_id,
  })
}

function audit(
  deps: Deps,
  event: 'consent.granted' | 'consent.denied',
  { state, client, request }: SignedInRequest,
  caller: Caller,
) {
  const { account_id, session_id } = state.session
  const { scope, resources } = request
  return auditRecord(deps, event, {
    account_id,
    session_id,
    client_id: client.client_id,
    caller,
    detail: { scope, resources },
  })
}
