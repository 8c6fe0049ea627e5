import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Said } from '../../web/locales/messages.ts'
import { shownClient } from '../../web/pages/client.ts'
import { type LoginForm, loginPage } from '../../web/pages/login.ts'
import { signedInPage } from '../../web/pages/signed_in.ts'
import { signInSession } from '../accounts/session.ts'
import { signIn } from '../accounts/sign_in.ts'
import { strangerKey } from '../clients/strangers.ts'
import type { Deps } from '../deps.ts'
import { inLocales, type PageOptions, queryOf, type SendPage } from '../http/browser_scope.ts'
import {
  assertCsrf,
  csrfToken,
  ensureBrowser,
  type NamedBrowser,
  readBrowserState,
  setSessionCookie,
} from '../http/browser_state.ts'
import { callerOf } from '../http/caller.ts'
import { refusalHeaders } from '../http/error_reply.ts'
import { formOf } from '../http/machine_scope.ts'
import { auditRecord } from '../observe/audit.ts'
import { type Form, single } from '../protocol/parameters.ts'
import { issuerPath } from '../protocol/server_metadata.ts'
import type { Seconds } from '../protocol/time.ts'
import { subjectOf } from '../tokens/subject.ts'
import { type BrowserExchange, resumePath, stepPath } from './dispatch.ts'
import { onwardOf } from './onward.ts'
import { cancel, findPausedRequest, interactionIdOf, type PausedRequest, sendGone } from './paused_request.ts'

/** RFC 8176 §2: password-based authentication. */
const AMR = ['pwd']

/**
 * Signing in with a user name and a password: for a paused request (`?interaction=…`), or for its own sake. Signing in
 * is always possible, also for somebody who is signed in: as themselves again, or as another.
 *
 * @see [OpenID Connect Core 1.0 §3.1.2.3](https://openid.net/specs/openid-connect-core-1_0.html#Authenticates)
 */
export function login(deps: Deps): FastifyPluginAsync<PageOptions> {
  return async (app, { sendPage }) => {
    app.get('/login', { config: { popup: true } }, async (request, reply) => {
      const read = await readBrowserState(deps, request)
      const interaction_id = interactionIdOf(request)
      const paused = await findPausedRequest(deps, interaction_id, read)
      if (interaction_id !== undefined && paused === undefined) return sendGone(sendPage, reply)
      const onward = onwardOf(request)
      if (paused === undefined && read.account !== undefined) {
        if (onward !== undefined) return reply.redirect(`${issuerPath(deps.config.issuer)}${onward.path}`, 303)
        const logout_href = `${issuerPath(deps.config.issuer)}/logout`
        return sendPage(reply, signedInPage({ account: read.account, logout_href }))
      }
      const state = ensureBrowser(deps, reply, read)
      return speaking(sendPage, paused)(reply, loginPage(blankForm(deps, state, paused, request)))
    })

    app.post('/login', { config: { popup: true } }, async (request, reply) => {
      const form = formOf(request)
      const state = await readBrowserState(deps, request)
      const interaction_id = interactionIdOf(request)
      const paused = await findPausedRequest(deps, interaction_id, state)
      if (interaction_id !== undefined && paused === undefined) return sendGone(sendPage, reply)
      assertCsrf(deps, state, form, 'browser')
      const http = { request, reply, sendPage: speaking(sendPage, paused) }
      if (paused !== undefined && single(form, 'cancel') !== undefined) return cancel(deps, paused, http)
      return attempt(deps, state, paused, form, http)
    })
  }
}

/** In the languages that the request asked for, where there is one. */
function speaking(sendPage: SendPage, paused: PausedRequest | undefined): SendPage {
  return inLocales(sendPage, paused?.request.ui_locales ?? [])
}

async function attempt(
  deps: Deps,
  state: NamedBrowser,
  paused: PausedRequest | undefined,
  form: Form,
  http: BrowserExchange,
): Promise<FastifyReply> {
  const { request, reply, sendPage } = http
  const caller = callerOf(request)
  const [username, password] = [single(form, 'username'), single(form, 'password')]
  const again = async (failure: Failure) => {
    const blank = blankForm(deps, state, paused, request)
    const remember = single(form, 'remember') !== undefined
    refusalHeaders(reply, failure)
    return sendPage(reply, loginPage({ ...blank, username, remember, problem: failure.problem }), failure.status)
  }
  // Nothing to check, nothing to count.
  if (username === undefined || password === undefined) return again(REFUSED)

  const signedIn = await signIn(deps, { identifier: username, password }, caller)
  if (signedIn.outcome === 'refused') return again(REFUSED)
  if (signedIn.outcome !== 'signed_in') return again(later(signedIn))

  const { account, give_back } = signedIn
  const remember = single(form, 'remember') !== undefined
  const interaction_id = paused?.interaction.interaction_id ?? null
  // Who began as a stranger is none any more.
  const counted = paused === undefined || state.session ? [] : [strangerKey(deps, caller.address_prefix)]
  const started = await signInSession(
    deps,
    { account, give_back: [...give_back, ...counted], amr: AMR, remember, current: state.session, interaction_id },
    caller,
  )
  switch (started.outcome) {
    case 'account_disabled': {
      const refusal = { actor: null, account_id: account.account_id, caller, detail: { reason: 'disabled' } }
      await deps.store.appendAudit([auditRecord(deps, 'sign_in.refused', refusal)])
      return again(REFUSED)
    }
    case 'interaction_gone':
      // The password was right: the attempt does not count.
      await deps.store.giveBackAttempt(give_back)
      return sendGone(sendPage, reply)
    case 'signed_in': {
      const { session, handle } = started
      const max_age = session.remembered ? session.absolute_expires_at - session.auth_time : undefined
      setSessionCookie(deps, reply, handle, max_age)
      // 303, so that a reload does not send the password again.
      return reply.redirect(interaction_id === null ? onwardPath(deps, request) : resumePath(deps, interaction_id), 303)
    }
  }
}

interface Failure {
  readonly status: number
  readonly problem: Said
  readonly retry_after: Seconds | undefined
}

/** One sentence for every reason: who is told more could tell which names exist. */
const REFUSED: Failure = { status: 422, problem: ({ login }) => login.refused, retry_after: undefined }

function later({ outcome, retry_after }: { outcome: 'throttled' | 'busy'; retry_after: Seconds }): Failure {
  if (outcome === 'busy') return { status: 503, problem: ({ common }) => common.busy, retry_after }
  return { status: 429, problem: ({ common }) => common.too_many_attempts(retry_after), retry_after }
}

function loginPath(deps: Pick<Deps, 'config'>): string {
  return `${issuerPath(deps.config.issuer)}/login`
}

function onwardPath(deps: Pick<Deps, 'config'>, request: FastifyRequest): string {
  const onward = onwardOf(request)
  return onward === undefined ? loginPath(deps) : `${issuerPath(deps.config.issuer)}${onward.path}`
}

/** Whether somebody has said that they are not who is signed in. */
function asAnother(request: FastifyRequest): boolean {
  return single(queryOf(request), 'another') !== undefined
}

function blankForm(
  deps: Deps,
  state: NamedBrowser,
  paused: PausedRequest | undefined,
  http: FastifyRequest,
): LoginForm {
  const csrf_token = csrfToken(deps, state, 'browser')
  if (paused === undefined) {
    const onward = onwardOf(http)
    const action = onward === undefined ? loginPath(deps) : `${loginPath(deps)}?${onward.query}`
    return { action, csrf_token, can_cancel: false, remember: false }
  }
  const another = asAnother(http)
  const { request, client, interaction } = paused
  const path = stepPath(deps, 'login', interaction.interaction_id)
  const { hinted_subject } = request
  const subject = state.account && subjectOf(deps, client, state.account.account_id)
  // Only to themselves: whoever knows a `sub`, or holds an ID token, is not to learn the name that goes with it.
  const is_meant = hinted_subject === null || hinted_subject === subject
  const known = is_meant && !another ? state.account : undefined
  const is_signed_in = known !== undefined
  return {
    action: another ? `${path}&another=true` : path,
    csrf_token,
    client: shownClient(client),
    username: known?.username ?? (another ? undefined : (request.login_hint ?? undefined)),
    username_fixed: is_signed_in,
    // OpenID Connect Core §3.1.2.1 id_token_hint: another person cannot go on with this request.
    not_you_href: hinted_subject === null ? `${path}&another=true` : undefined,
    reauthenticate: is_signed_in,
    can_cancel: true,
    remember: is_signed_in && state.session?.remembered === true,
    form_action: [request.redirect_uri],
  }
}
