import type { FastifyPluginAsync } from 'fastify'
import type { Deps } from '../deps.ts'
import { inLocales, type PageOptions } from '../http/browser_scope.ts'
import { readBrowserState } from '../http/browser_state.ts'
import { dispatch } from './dispatch.ts'
import { findPausedRequest, interactionIdOf, sendGone } from './paused_request.ts'

/** Where every step leads when it is done: the paused request goes on from what is written down about it by now. */
export function resume(deps: Deps): FastifyPluginAsync<PageOptions> {
  return async (app, { sendPage }) => {
    // It answers the client, once: nothing that only looks (a HEAD) may use that up.
    app.get('/authorize/resume', { exposeHeadRoute: false, config: { popup: true } }, async (request, reply) => {
      const paused = await findPausedRequest(deps, interactionIdOf(request), await readBrowserState(deps, request))
      if (paused === undefined) return sendGone(sendPage, reply)
      return dispatch(deps, paused, { request, reply, sendPage: inLocales(sendPage, paused.request.ui_locales) })
    })
  }
}
