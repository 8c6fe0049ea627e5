import type { FastifyPluginAsync, FastifyReply } from 'fastify'
import type { Said } from '../../web/locales/messages.ts'
import { shownClient } from '../../web/pages/client.ts'
import { deviceCodePage, deviceConfirmPage, deviceDonePage } from '../../web/pages/device.ts'
import { findClient } from '../clients/find_client.ts'
import type { Caller, Deps } from '../deps.ts'
import { type PageOptions, queryOf } from '../http/browser_scope.ts'
import {
  assertCsrf,
  type BrowserState,
  csrfToken,
  ensureBrowser,
  type NamedBrowser,
  readBrowserState,
} from '../http/browser_state.ts'
import { callerOf } from '../http/caller.ts'
import { refusalHeaders } from '../http/error_reply.ts'
import { formOf } from '../http/machine_scope.ts'
import { auditRecord } from '../observe/audit.ts'
import type { Account } from '../protocol/account.ts'
import type { Client } from '../protocol/client.ts'
import { mergeConsent } from '../protocol/consent.ts'
import { type DeviceCode, formatUserCode, readUserCode, USER_CODE_LABEL } from '../protocol/device_code.ts'
import { single } from '../protocol/parameters.ts'
import { parseScope } from '../protocol/scope.ts'
import { issuerPath } from '../protocol/server_metadata.ts'
import type { Session } from '../protocol/session.ts'
import { userCodeLimits } from '../protocol/throttle.ts'
import type { Seconds } from '../protocol/time.ts'
import { builtInResources } from '../tokens/resources.ts'
import type { BrowserExchange } from './dispatch.ts'
import { toDevice } from './onward.ts'

/**
 * A person lets a device in: signs in, enters the code that the device shows, sees who asks for what and from where, and
 * decides. A link that brings the code along (§3.3.1) saves the typing and nothing else.
 *
 * @see [RFC 8628 §3.3](https://www.rfc-editor.org/rfc/rfc8628#section-3.3)
 */
export function device(deps: Deps): FastifyPluginAsync<PageOptions> {
  return async (app, { sendPage }) => {
    app.get('/device', async (request, reply) => {
      const typed = single(queryOf(request), 'user_code')
      const state = await readBrowserState(deps, request)
      if (!isSignedIn(state)) return toLogin(deps, reply, typed)
      return askForCode(deps, ensureBrowser(deps, reply, state), typed, { request, reply, sendPage })
    })

    app.post('/device', async (request, reply) => {
      const form = formOf(request)
      const typed = single(form, 'user_code')
      const state = await readBrowserState(deps, request)
      if (!isSignedIn(state)) return toLogin(deps, reply, typed)
      // Of this session: what was shown to somebody else is not answered for them.
      assertCsrf(deps, state, form)
      const http = { request, reply, sendPage }
      const claimed = await claim(deps, state, typed, callerOf(request))
      if ('problem' in claimed) return askForCode(deps, state, typed, http, claimed)
      const decision = single(form, 'decision')
      const outcome = decisionOn(claimed.code)
      // The form that was sent twice, or a page that the person came back to: what was decided stands.
      if (outcome !== undefined)
        return sendPage(reply, deviceDonePage({ outcome, client: shownClient(claimed.client) }))
      if (decision === 'approve' || decision === 'deny') return decide(deps, state, claimed, decision, http)
      return askForDecision(deps, state, claimed, http)
    })
  }
}

type SignedIn = NamedBrowser & { readonly session: Session; readonly account: Account }

/** A device that this session alone may decide about, or has decided about. */
interface Claimed {
  readonly code: DeviceCode
  readonly client: Client
  /** As people are shown it. */
  readonly user_code: string
}

interface Refused {
  readonly status: number
  readonly problem: Said
  readonly retry_after: Seconds | undefined
}

/** One sentence for every reason: unknown, expired, decided, somebody else's. */
const WRONG_CODE: Refused = {
  status: 422,
  problem: ({ device }) => device.wrong_code,
  retry_after: undefined,
}

function isSignedIn<T extends BrowserState>(
  state: T,
): state is T & { readonly session: Session; readonly account: Account } {
  return state.session !== undefined
}

/** Nobody enters a code without a session that answers for it. Back here afterwards, with 303. */
function toLogin(deps: Pick<Deps, 'config'>, reply: FastifyReply, typed: string | undefined): FastifyReply {
  return reply.redirect(`${issuerPath(deps.config.issuer)}/login?${toDevice(typed).query}`, 303)
}

function stepOf(deps: Deps, state: NamedBrowser) {
  return { action: `${issuerPath(deps.config.issuer)}/device`, csrf_token: csrfToken(deps, state) }
}

function askForCode(
  deps: Deps,
  state: NamedBrowser,
  typed: string | undefined,
  { reply, sendPage }: BrowserExchange,
  refused?: Refused,
): FastifyReply {
  const letters = readUserCode(typed)
  const user_code = letters === undefined ? undefined : formatUserCode(letters)
  if (refused !== undefined) refusalHeaders(reply, refused)
  return sendPage(
    reply,
    deviceCodePage({ ...stepOf(deps, state), user_code, problem: refused?.problem }),
    refused?.status,
  )
}

/** Takes the code that was entered. A guess counts before it is looked up (RFC 8628 §5.1), and is forgiven when right. */
async function claim(
  deps: Deps,
  { session, account }: SignedIn,
  typed: string | undefined,
  { address_prefix }: Caller,
): Promise<Claimed | Refused> {
  const { store, clock, vault, config } = deps
  const letters = readUserCode(typed)
  // Nothing to check, nothing to count.
  if (letters === undefined) return WRONG_CODE
  const digest = (label: string, value: string) => vault.digest(label, value)
  const limits = userCodeLimits({ account_id: account.account_id, address_prefix }, config.throttle, digest)
  const counted = await store.consumeAttempt(limits, clock.now())
  if (counted.outcome === 'refused') {
    const { retry_after } = counted
    return { status: 429, problem: ({ common }) => common.too_many_attempts(retry_after), retry_after }
  }

  const now = clock.now()
  const code = await store.findDeviceCodeByUserCode(vault.digest(USER_CODE_LABEL, letters), now)
  const client = code === undefined ? undefined : await findClient(deps, code.client_id)
  if (code === undefined || client?.disabled_at !== null) return WRONG_CODE
  const own = decisionOn(code) !== undefined && code.claimed_session_id === session.session_id
  if (!own && (await store.claimDeviceCode(code.device_code_digest, session.session_id, now)) === 'taken') {
    return WRONG_CODE
  }
  await store.giveBackAttempt(limits.map(({ key }) => key))
  return { code, client, user_code: formatUserCode(letters) }
}

function decisionOn({ approved_at, denied_at }: DeviceCode): 'approved' | 'denied' | undefined {
  if (denied_at !== null) return 'denied'
  return approved_at === null ? undefined : 'approved'
}

async function askForDecision(
  deps: Deps,
  state: SignedIn,
  { code, client, user_code }: Claimed,
  { reply, sendPage }: BrowserExchange,
): Promise<FastifyReply> {
  const before = await deps.store.findConsent(state.account.account_id, client.client_id)
  const known = before && (parseScope(before.scope) ?? [])
  const { default_resource } = builtInResources(deps.config)
  return sendPage(
    reply,
    deviceConfirmPage({
      ...stepOf(deps, state),
      user_code,
      client: shownClient(client),
      account: state.account,
      address_prefix: code.address_prefix,
      user_agent: code.user_agent,
      scopes: (parseScope(code.scope) ?? []).map((name) => ({ name, is_new: known && !known.includes(name) })),
      // The default one is nothing that a person knows by its name.
      resources: code.resources.filter((resource) => resource !== default_resource),
      authorization_details: code.authorization_details,
    }),
  )
}

async function decide(
  deps: Deps,
  state: SignedIn,
  claimed: Claimed,
  decision: 'approve' | 'deny',
  http: BrowserExchange,
): Promise<FastifyReply> {
  const { reply, sendPage, request } = http
  const caller = callerOf(request)
  const outcome = await (decision === 'approve' ? approve : deny)(deps, state, claimed, caller)
  switch (outcome) {
    case 'approved':
    case 'denied':
      return sendPage(reply, deviceDonePage({ outcome, client: shownClient(claimed.client) }))
    case 'consent_changed':
      // Withdrawn, or given elsewhere, while this was sent: they see what that means before it counts.
      return askForDecision(deps, state, claimed, http)
    case 'spent':
      return askForCode(deps, state, undefined, http, WRONG_CODE)
    case 'account_disabled':
    case 'session_ended':
      return toLogin(deps, reply, claimed.user_code)
  }
}

/** What is allowed is remembered as on the consent page, so that it can be withdrawn in the same place. */
async function approve(deps: Deps, { session, account }: SignedIn, { code, client }: Claimed, caller: Caller) {
  const now = deps.clock.now()
  const { session_id, auth_time, amr, acr } = session
  const parties = { account_id: account.account_id, client_id: client.client_id }
  const { scope, resources, device_code_digest, grant_id } = code
  const before = await deps.store.findConsent(parties.account_id, parties.client_id)
  const asked = { scope, resources, redirect_uri: null, claims: null }
  const consent = mergeConsent(parties, asked, before, now)
  const person = { account_id: account.account_id, auth_time, amr, acr }
  const fields = { ...parties, session_id, caller, detail: { scope, resources } }
  return deps.store.approveDeviceCode({ device_code_digest, session_id, ...person, consent, before, now }, [
    auditRecord(deps, 'consent.granted', fields),
    auditRecord(deps, 'device.approved', { ...fields, grant_id }),
  ])
}

function deny(deps: Deps, { session, account }: SignedIn, { code, client }: Claimed, caller: Caller) {
  const { session_id } = session
  const fields = { account_id: account.account_id, client_id: client.client_id, session_id, caller }
  const audit = auditRecord(deps, 'device.denied', fields)
  return deps.store.denyDeviceCode(code.device_code_digest, session_id, deps.clock.now(), [audit])
}
