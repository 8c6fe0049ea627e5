/**
 * A paused authorization request, and what it waits for.
 *
 * @see [OpenID Connect Core 1.0 §3.1.2.3](https://openid.net/specs/openid-connect-core-1_0.html#Authenticates)
 */
import type { Account } from './account.ts'
import type { AuthorizationRequest } from './authorization_request.ts'
import type { Client } from './client.ts'
import { type Consent, needsConsent } from './consent.ts'
import { OAuthError, type OAuthErrorCode } from './errors.ts'
import type { Session } from './session.ts'
import type { Seconds } from './time.ts'

/**
 * A paused authorization request: what was asked, in which browser, and what the person has done about it so far.
 * Steps (login, consent) write down what they did and come back to the dispatcher, which alone decides what is next.
 */
export interface Interaction {
  readonly interaction_id: string
  /** Digest of the browser's cookie: nobody else can go on with it. */
  readonly browser_digest: string
  readonly request: AuthorizationRequest
  /** When the person signed in (again) for this request; null: not yet. What `prompt=login` and `max_age` ask for. */
  readonly authenticated_at: Seconds | null
  /** When the person chose to go on as who they are (`prompt=select_account`). */
  readonly selected_at: Seconds | null
  /** When and in which session the person allowed it. */
  readonly consented_at: Seconds | null
  readonly consented_session_id: string | null
  readonly expires_at: Seconds
  readonly created_at: Seconds
}

/** What a person may have to do. */
export type PageStep = 'login' | 'select_account' | 'consent'

export type NextStep =
  | { readonly step: PageStep }
  /** `session` is who the answer is about. */
  | { readonly step: 'issue'; readonly session: Session }
  | { readonly step: 'refuse'; readonly error: OAuthError }

/** Everything that the decision depends on. */
export interface Situation {
  readonly request: AuthorizationRequest
  readonly client: Pick<Client, 'client_id' | 'origin' | 'first_party' | 'default_max_age' | 'default_acr_values'>
  /** A live one; undefined: nobody is signed in. */
  readonly session: Session | undefined
  /** The session's. */
  readonly account: Account | undefined
  /** By which the client knows that account. */
  readonly subject: string | undefined
  /** Of that account for this client. */
  readonly consent: Consent | undefined
  /** undefined: nothing has been done about the request yet. */
  readonly interaction: Omit<Interaction, 'interaction_id' | 'browser_digest' | 'request'> | undefined
  /** What a sign-in here amounts to. */
  readonly reachable_acr_values: readonly string[]
  readonly now: Seconds
}

/** The one place that decides what comes next. The order is the rule: nobody consents who has not signed in. */
export function nextStep(situation: Situation): NextStep {
  const { request, session } = situation
  if (lacksEssentialAcr(situation) && !essentialAcrIsReachable(situation) && mayLeadAwayAtOnce(situation)) {
    return refuse('unmet_authentication_requirements', 'the acr that is essential cannot be reached here')
  }
  const page = pageNeeded(situation)
  if (page === undefined && session !== undefined) return { step: 'issue', session }
  const step = page ?? 'login'
  // §3.1.2.1: with prompt=none the server MUST NOT display anything.
  return request.prompt.includes('none') ? refuse(...UNASKED[step]) : { step }
}

/**
 * Whether the answer may be a redirect before anybody has signed in: not to where somebody who registered it themselves
 * wants links to this server to end.
 *
 * @see [RFC 9700 §4.11.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.11.2): the person first, but for prompt=none
 */
function mayLeadAwayAtOnce({ client, request, session }: Situation): boolean {
  return client.origin === 'admin' || session !== undefined || request.prompt.includes('none')
}

function pageNeeded(situation: Situation): PageStep | undefined {
  if (needsSignIn(situation)) return 'login'
  // The place of a second factor: a session that still lacks it opens nothing else.
  if (needsSelection(situation)) return 'select_account'
  return stillNeedsConsent(situation) ? 'consent' : undefined
}

const UNASKED: Readonly<Record<PageStep, [OAuthErrorCode, string]>> = {
  login: ['login_required', 'signing in is needed, and prompt=none forbids to ask'],
  select_account: ['account_selection_required', 'choosing an account is needed, and prompt=none forbids to ask'],
  consent: ['consent_required', 'consent is needed, and prompt=none forbids to ask'],
}

function refuse(code: OAuthErrorCode, description: string): NextStep {
  return { step: 'refuse', error: new OAuthError(code, description) }
}

function needsSignIn(situation: Situation): boolean {
  const { request, client, session, account, now } = situation
  if (session === undefined || account === undefined || account.disabled_at !== null) return true
  // §3.1.2.1 id_token_hint: the answer is about this person or about nobody.
  if (request.hinted_subject !== null && request.hinted_subject !== situation.subject) return true
  if (lacksEssentialAcr(situation)) return true
  // Who has just signed in for this request is not asked again, however long they take over the next page.
  if (signedInForThis(situation)) return false
  if (request.prompt.includes('login')) return true
  const max_age = request.max_age ?? client.default_max_age
  // §3.1.2.1: max_age=0 is prompt=login, also within the same second.
  if (max_age !== undefined && (max_age === 0 || now - session.auth_time > max_age)) return true
  return couldMeetAcrValues(situation)
}

/** The session is at least as young as the sign-in that this request led to. */
function signedInForThis({ interaction, session }: Situation): boolean {
  const authenticated_at = interaction?.authenticated_at ?? null
  return authenticated_at !== null && session !== undefined && session.auth_time >= authenticated_at
}

function needsSelection(situation: Situation): boolean {
  const { request, interaction, session } = situation
  if (!request.prompt.includes('select_account') || signedInForThis(situation)) return false
  const selected_at = interaction?.selected_at ?? null
  // Whom somebody chose before another one signed in is not who goes on now.
  return selected_at === null || session === undefined || selected_at < session.auth_time
}

function stillNeedsConsent({ client, request, consent, interaction, session }: Situation): boolean {
  // What has been withdrawn since was not given.
  const given = interaction !== undefined && interaction.consented_at !== null && consent !== undefined
  if (given && interaction.consented_session_id === session?.session_id) return false
  return needsConsent(client, request, consent)
}

/** The values that the ID token's `acr` has to be one of (§5.5.1.1); undefined: none is essential; empty: any will do. */
function essentialAcrValues({ request }: Situation): readonly unknown[] | undefined {
  const acr = request.claims?.id_token?.acr
  if (acr?.essential !== true) return undefined
  return acr.values ?? (acr.value === undefined ? [] : [acr.value])
}

function lacksEssentialAcr(situation: Situation): boolean {
  const essential = essentialAcrValues(situation)
  return essential !== undefined && !isOneOf(essential, situation.session?.acr ?? null)
}

function essentialAcrIsReachable(situation: Situation): boolean {
  const essential = essentialAcrValues(situation) ?? []
  return situation.reachable_acr_values.some((acr) => isOneOf(essential, acr))
}

function isOneOf(values: readonly unknown[], acr: string | null): boolean {
  return acr !== null && (values.length === 0 || values.includes(acr))
}

/** `acr_values` are wishes (§3.1.2.1): worth a sign-in where it would fulfil one, and never a refusal. */
function couldMeetAcrValues({ request, client, session, reachable_acr_values }: Situation): boolean {
  if (request.prompt.includes('none')) return false
  const wished = request.acr_values.length > 0 ? request.acr_values : (client.default_acr_values ?? [])
  if (session?.acr != null && wished.includes(session.acr)) return false
  return wished.some((acr) => reachable_acr_values.includes(acr))
}
