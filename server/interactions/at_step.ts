import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Deps } from '../deps.ts'
import { inLocales, type PageOptions } from '../http/browser_scope.ts'
import { readBrowserState } from '../http/browser_state.ts'
import type { Account } from '../protocol/account.ts'
import type { PageStep } from '../protocol/interaction.ts'
import type { Session } from '../protocol/session.ts'
import { type BrowserExchange, decide, resumePath } from './dispatch.ts'
import { findPausedRequest, interactionIdOf, type PausedRequest, sendGone } from './paused_request.ts'

/** A paused request at a step that only somebody who is signed in comes to. */
export type SignedInRequest = PausedRequest & {
  readonly state: { readonly session: Session; readonly account: Account }
}

/**
 * The route handler of a step. `handle` runs only while its step is the next one, so that nobody comes to it past the
 * steps before: whoever tries, whose session has ended or who comes back to it later starts where the request is.
 */
export function atStep(
  deps: Deps,
  step: Exclude<PageStep, 'login'>,
  { sendPage }: PageOptions,
  handle: (paused: SignedInRequest, http: BrowserExchange) => Promise<FastifyReply>,
): (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> {
  return async (request, reply) => {
    const paused = await findPausedRequest(deps, interactionIdOf(request), await readBrowserState(deps, request))
    if (paused === undefined) return sendGone(sendPage, reply)
    const next = await decide(deps, paused, paused.state)
    if (next.step !== step || !isSignedIn(paused)) return goOn(deps, paused, reply)
    return handle(paused, { request, reply, sendPage: inLocales(sendPage, paused.request.ui_locales) })
  }
}

/** Back to the dispatcher, with 303: a reload does not send the form again. */
export function goOn(
  deps: Pick<Deps, 'config'>,
  { interaction }: Pick<PausedRequest, 'interaction'>,
  reply: FastifyReply,
): FastifyReply {
  return reply.redirect(resumePath(deps, interaction.interaction_id), 303)
}

function isSignedIn(paused: PausedRequest): paused is SignedInRequest {
  return paused.state.session !== undefined
}
