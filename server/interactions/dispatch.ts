/**
 * What happens with an authorization request that is in order. Pages only write down what a person did, and come back
 * here; what is next is decided in one place, `protocol/interaction.ts`.
 *
 * @see [OpenID Connect Core 1.0 §3.1.2](https://openid.net/specs/openid-connect-core-1_0.html#AuthorizationEndpoint)
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { shownClient } from '../../web/pages/client.ts'
import { interactionGonePage } from '../../web/pages/interaction_gone.ts'
import { countStranger } from '../clients/strangers.ts'
import type { Deps } from '../deps.ts'
import type { PageOptions } from '../http/browser_scope.ts'
import { type BrowserState, browserDigest, ensureBrowser, readBrowserState } from '../http/browser_state.ts'
import { callerOf } from '../http/caller.ts'
import { logRefusal } from '../http/error_reply.ts'
import type { AuthorizationRequest } from '../protocol/authorization_request.ts'
import type { Client } from '../protocol/client.ts'
import type { OAuthError } from '../protocol/errors.ts'
import { type Interaction, type NextStep, nextStep, type PageStep } from '../protocol/interaction.ts'
import { randomId } from '../protocol/random_id.ts'
import { redirectTargetOf } from '../protocol/redirect_uri.ts'
import { issuerPath } from '../protocol/server_metadata.ts'
import type { Session } from '../protocol/session.ts'
import { errorParameters, sendAuthorizationResponse } from '../response_modes/index.ts'
import type { ResponseParameters } from '../response_modes/response_mode.ts'
import { issueAuthorizationCode } from '../tokens/authorization_code.ts'
import { subjectOf } from '../tokens/subject.ts'

/** A request that has passed every check, its client, and what a person has done about it so far. */
export interface Asked {
  readonly request: AuthorizationRequest
  readonly client: Client
  /** undefined: nothing yet, and there may never be anything to do. */
  readonly interaction: Interaction | undefined
}

/** Both ends of the browser's request. */
export interface BrowserExchange extends PageOptions {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

const PATHS: Readonly<Record<PageStep, string>> = {
  login: '/login',
  select_account: '/select-account',
  consent: '/consent',
}

/** Answers the client, or leads the person to what they have to do first. */
export async function dispatch(deps: Deps, asked: Asked, http: BrowserExchange): Promise<FastifyReply> {
  return proceed(deps, asked, await readBrowserState(deps, http.request), http)
}

/** What is next for this browser. */
export async function decide(deps: Deps, asked: Asked, { session, account }: BrowserState): Promise<NextStep> {
  const { client } = asked
  const consent = account === undefined ? undefined : await deps.store.findConsent(account.account_id, client.client_id)
  const subject = account && subjectOf(deps, client, account.account_id)
  const reachable_acr_values = deps.config.authorization.acr_values.slice(0, 1)
  return nextStep({ ...asked, session, account, subject, consent, reachable_acr_values, now: deps.clock.now() })
}

/** The address of a step of a paused request. */
export function stepPath(deps: Pick<Deps, 'config'>, step: PageStep, interaction_id: string): string {
  return `${issuerPath(deps.config.issuer)}${PATHS[step]}?interaction=${interaction_id}`
}

/** The address that a step leads to when it is done. */
export function resumePath(deps: Pick<Deps, 'config'>, interaction_id: string): string {
  return `${issuerPath(deps.config.issuer)}/authorize/resume?interaction=${interaction_id}`
}

/** Tells the client why there will be no code, and ends the paused request. */
export async function refuse(
  deps: Deps,
  asked: Asked,
  error: OAuthError,
  http: BrowserExchange,
): Promise<FastifyReply> {
  logRefusal(http.request, error)
  if (asked.interaction !== undefined) await deps.store.deleteInteraction(asked.interaction.interaction_id)
  return answer(deps, asked, errorParameters(error), http)
}

async function proceed(deps: Deps, asked: Asked, state: BrowserState, http: BrowserExchange): Promise<FastifyReply> {
  const next = await decide(deps, asked, state)
  switch (next.step) {
    case 'refuse':
      return refuse(deps, asked, next.error, http)
    case 'issue':
      return issue(deps, asked, next.session, state, http)
    case 'login':
    case 'select_account':
    case 'consent':
      return leadTo(deps, asked, next.step, state, http)
  }
}

async function issue(
  deps: Deps,
  asked: Asked,
  session: Session,
  { browser_handle }: BrowserState,
  http: BrowserExchange,
): Promise<FastifyReply> {
  const { request, client, interaction } = asked
  const interaction_id = interaction?.interaction_id ?? null
  const issued = await issueAuthorizationCode(deps, { request, session, interaction_id }, callerOf(http.request))
  switch (issued.outcome) {
    case 'issued':
      return answer(deps, asked, { code: issued.code }, http)
    case 'interaction_gone':
      return http.sendPage(http.reply, interactionGonePage({ client: shownClient(client) }), 404)
    case 'session_ended':
    case 'account_disabled':
      // Signed out since we looked: as if nobody had been signed in, which never issues.
      return proceed(deps, asked, { browser_handle, session: undefined, account: undefined }, http)
  }
}

async function leadTo(
  deps: Deps,
  asked: Asked,
  step: PageStep,
  state: BrowserState,
  http: BrowserExchange,
): Promise<FastifyReply> {
  const { reply } = http
  if (asked.interaction === undefined && state.session === undefined) {
    const refusal = await countStranger(deps, callerOf(http.request).address_prefix)
    if (refusal !== undefined) return turnAway(deps, asked, refusal, http)
  }
  const { interaction_id } = asked.interaction ?? (await pause(deps, asked.request, state, reply))
  return reply.redirect(stepPath(deps, step, interaction_id), 303)
}

/** RFC 6749 §4.1.2.1 `temporarily_unavailable`; as ever, a client that made itself leads no stranger away. */
function turnAway(deps: Deps, asked: Asked, refusal: OAuthError, http: BrowserExchange): Promise<FastifyReply> {
  if (asked.client.origin !== 'admin') throw refusal
  return refuse(deps, asked, refusal, http)
}

async function pause(
  deps: Deps,
  request: AuthorizationRequest,
  state: BrowserState,
  reply: FastifyReply,
): Promise<Interaction> {
  const now = deps.clock.now()
  const interaction: Interaction = {
    interaction_id: randomId(deps.random),
    browser_digest: browserDigest(deps, ensureBrowser(deps, reply, state)),
    request,
    authenticated_at: null,
    selected_at: null,
    consented_at: null,
    consented_session_id: null,
    expires_at: now + deps.config.authorization.interaction_seconds,
    created_at: now,
  }
  await deps.store.createInteraction(interaction)
  return interaction
}

function answer(
  deps: Deps,
  { request, client }: Asked,
  parameters: ResponseParameters,
  { reply, sendPage }: BrowserExchange,
): Promise<FastifyReply> {
  const target = redirectTargetOf(client, request)
  return sendAuthorizationResponse(deps, reply, { target, client, sendPage }, parameters)
}
