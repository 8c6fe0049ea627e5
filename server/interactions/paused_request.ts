import type { FastifyReply, FastifyRequest } from 'fastify'
import { interactionGonePage } from '../../web/pages/interaction_gone.ts'
import { findClient } from '../clients/find_client.ts'
import type { Deps } from '../deps.ts'
import { type PageOptions, queryOf } from '../http/browser_scope.ts'
import { type BrowserState, browserDigest, isNamed, type NamedBrowser } from '../http/browser_state.ts'
import type { Client } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import type { Interaction } from '../protocol/interaction.ts'
import { single } from '../protocol/parameters.ts'
import { redirectTargetOf } from '../protocol/redirect_uri.ts'
import { type Asked, type BrowserExchange, refuse } from './dispatch.ts'

/** A paused request in the browser that it belongs to. */
export interface PausedRequest extends Asked {
  readonly interaction: Interaction
  readonly state: NamedBrowser
}

/** The parameter of every step that names its paused request. */
export function interactionIdOf(request: FastifyRequest): string | undefined {
  return single(queryOf(request), 'interaction')
}

/**
 * @returns undefined when it is done, has expired, is another browser's, or never was: all the same to a stranger
 * @throws {OAuthError} when its answer has nowhere to go any more
 */
export async function findPausedRequest(
  deps: Deps,
  interaction_id: string | undefined,
  state: BrowserState,
): Promise<PausedRequest | undefined> {
  if (interaction_id === undefined || !INTERACTION_ID.test(interaction_id) || !isNamed(state)) return undefined
  const interaction = await deps.store.findInteraction(interaction_id, browserDigest(deps, state), deps.clock.now())
  if (interaction === undefined) return undefined
  const { request } = interaction
  const client = await findEnabledClient(deps, request.client_id)
  if (client === undefined) return undefined
  // Before anybody is asked anything: the redirect URI may have been taken away while the request waited.
  redirectTargetOf(client, request)
  return { request, client, interaction, state }
}

export function sendGone(sendPage: PageOptions['sendPage'], reply: FastifyReply): FastifyReply {
  return sendPage(reply, interactionGonePage(), 404)
}

/** The person does not want to go on, and the client hears of it (RFC 6749 §4.1.2.1). */
export function cancel(deps: Deps, paused: PausedRequest, http: BrowserExchange): Promise<FastifyReply> {
  return refuse(deps, paused, new OAuthError('access_denied', 'the person did not allow it'), http)
}

async function findEnabledClient(deps: Deps, client_id: string): Promise<Client | undefined> {
  const client = await findClient(deps, client_id)
  return client?.disabled_at === null ? client : undefined
}

/** What `randomId` makes. */
const INTERACTION_ID = /^[\w-]{22}$/
