import type { FastifyPluginAsync } from 'fastify'
import { shownClient } from '../../web/pages/client.ts'
import { selectAccountPage } from '../../web/pages/select_account.ts'
import type { Deps } from '../deps.ts'
import type { PageOptions } from '../http/browser_scope.ts'
import { assertCsrf, csrfToken } from '../http/browser_state.ts'
import { formOf } from '../http/machine_scope.ts'
import { single } from '../protocol/parameters.ts'
import { atStep, goOn } from './at_step.ts'
import { stepPath } from './dispatch.ts'
import { cancel } from './paused_request.ts'

/**
 * Who is signed in says whether to go on as themselves.
 *
 * @see [OpenID Connect Core 1.0 §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest) `select_account`
 */
export function selectAccount(deps: Deps): FastifyPluginAsync<PageOptions> {
  return async (app, options) => {
    app.get(
      '/select-account',
      { config: { popup: true } },
      atStep(deps, 'select_account', options, async ({ state, client, interaction, request }, { reply, sendPage }) =>
        sendPage(
          reply,
          selectAccountPage({
            action: stepPath(deps, 'select_account', interaction.interaction_id),
            csrf_token: csrfToken(deps, state),
            client: shownClient(client),
            account: state.account,
            form_action: [request.redirect_uri],
          }),
        ),
      ),
    )

    app.post(
      '/select-account',
      { config: { popup: true } },
      atStep(deps, 'select_account', options, async (paused, http) => {
        const form = formOf(http.request)
        assertCsrf(deps, paused.state, form)
        const { interaction_id } = paused.interaction
        const choice = single(form, 'choice')
        if (choice === 'cancel') return cancel(deps, paused, http)
        if (choice === 'other') {
          return http.reply.redirect(`${stepPath(deps, 'login', interaction_id)}&another=true`, 303)
        }
        if (choice === 'continue') {
          await deps.store.updateInteraction(interaction_id, { selected_at: deps.clock.now() })
        }
        return goOn(deps, paused, http.reply)
      }),
    )
  }
}
