/**
 * Shared Signals: security events for receivers, as signed tokens. What is told is what the status lists and the stream of
 * revocations tell as well, in the words that receivers of other issuers know.
 *
 * @see [OpenID Shared Signals Framework 1.0](https://openid.net/specs/openid-sharedsignals-framework-1_0.html)
 * @see [OpenID CAEP 1.0](https://openid.net/specs/openid-caep-1_0.html)
 * @see [RFC 8417](https://www.rfc-editor.org/rfc/rfc8417) Security Event Token
 */
import { OAuthError } from './errors.ts'
import type { Seconds } from './time.ts'

export const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked'
export const CREDENTIAL_CHANGE = 'https://schemas.openid.net/secevent/caep/event-type/credential-change'
export const VERIFICATION = 'https://schemas.openid.net/secevent/ssf/event-type/verification'
/** What a receiver may ask for. */
export const SIGNAL_EVENTS: readonly string[] = [SESSION_REVOKED, CREDENTIAL_CHANGE]

/** RFC 8935 */
export const PUSH = 'urn:ietf:rfc:8935'
/** RFC 8936 */
export const POLL = 'urn:ietf:rfc:8936'

/** RFC 8417 §2.3: the `typ` of the header, by which it passes for no other token. */
export const SIGNAL_TYP = 'secevent+jwt'

export const STREAM_STATUSES = ['enabled', 'paused', 'disabled'] as const
export type StreamStatus = (typeof STREAM_STATUSES)[number]

/** One receiver's stream (SSF §8.1.1). */
export interface SignalStream {
  readonly stream_id: string
  /** The resource server that made it, and is its `aud`. */
  readonly client_id: string
  readonly audience: string
  /** Where events are pushed to; null: the receiver polls. */
  readonly endpoint_url: string | null
  readonly events_delivered: readonly string[]
  readonly description: string | null
  readonly status: StreamStatus
  readonly status_reason: string | null
  /** What was before is not for it: it was not there, or disabled. */
  readonly told_from: Seconds
  /** Until when the database has been looked through for it. */
  readonly seen_at: Seconds
  readonly created_at: Seconds
  readonly updated_at: Seconds
}

/** One event for one stream, until it has been taken. */
export interface Signal {
  readonly jti: string
  readonly stream_id: string
  readonly claims: SignalClaims
  readonly attempts: number
  readonly next_attempt_at: Seconds
  readonly settled_at: Seconds | null
  readonly last_error: string | null
  readonly created_at: Seconds
}

/** RFC 8417 §2.2. Neither `sub` nor `exp`, so that no reader takes it for an ID token or an access token. */
export interface SignalClaims {
  readonly iss: string
  readonly jti: string
  readonly iat: Seconds
  readonly aud: string
  readonly sub_id: Readonly<Record<string, unknown>>
  readonly events: Readonly<Record<string, Readonly<Record<string, unknown>>>>
}

interface About {
  readonly iss: string
  readonly jti: string
  readonly aud: string
  readonly now: Seconds
}

/** Access under a session has ended. @param sub the person, as the tokens of that session name them */
export function sessionRevoked(about: About, sub: string, session_id: string, revoked_at: Seconds, because: string) {
  return claimsOf(
    about,
    {
      format: 'complex',
      user: { format: 'iss_sub', iss: about.iss, sub },
      session: { format: 'opaque', id: session_id },
    },
    SESSION_REVOKED,
    // CAEP §2: what the event was started by.
    { event_timestamp: revoked_at, initiating_entity: initiatorOf(because), ...reasonOf(because.replaceAll('_', ' ')) },
  )
}

/** A person has another password, which an administrator gave them. */
export function credentialChange(about: About, sub: string, changed_at: Seconds): SignalClaims {
  return claimsOf(about, { format: 'iss_sub', iss: about.iss, sub }, CREDENTIAL_CHANGE, {
    event_timestamp: changed_at,
    initiating_entity: 'admin',
    credential_type: 'password',
    change_type: 'update',
    ...reasonOf('password replaced by an administrator'),
  })
}

/** SSF §8.1.1, `min_verification_interval`. */
export const VERIFICATION_SECONDS: Seconds = 10

/** What the verifications of one interval have in common: their `jti` is made of it, so that there is one of them. */
export function verificationOf(now: Seconds): string {
  return `${VERIFICATION} ${Math.floor(now / VERIFICATION_SECONDS)}`
}

/** SSF §8.1.4.1: that the stream works. @param state as it was sent */
export function verification(about: About, stream_id: string, state: string | undefined): SignalClaims {
  const event = state === undefined ? {} : { state }
  return claimsOf(about, { format: 'opaque', id: stream_id }, VERIFICATION, event)
}

function claimsOf(
  { iss, jti, aud, now }: About,
  sub_id: SignalClaims['sub_id'],
  type: string,
  event: Readonly<Record<string, unknown>>,
): SignalClaims {
  return { iss, jti, iat: now, aud, sub_id, events: { [type]: event } }
}

/** CAEP §2, for whoever reads logs. CAEP's interoperability profile wants one in every event. */
function reasonOf(english: string) {
  return { reason_admin: { en: english } }
}

function initiatorOf(because: string): 'admin' | 'user' | 'policy' {
  if (because === 'revoked_by_admin' || because === 'account_disabled' || because === 'client_deleted') return 'admin'
  return ['signed_out', 'revoked_by_client', 'revoked_by_owner', 'consent_withdrawn'].includes(because)
    ? 'user'
    : 'policy'
}

/** What a receiver may set of its stream. */
export type StreamSettings = Pick<SignalStream, 'endpoint_url' | 'events_delivered' | 'description'>

const MAX_DESCRIPTION = 255
const MAX_URL = 2048

/**
 * Reads a stream's configuration (SSF §8.1.1.1).
 *
 * @param body JSON of anybody's
 * @param before what stays where nothing is said: of an update; undefined for a new stream
 * @throws {OAuthError} `invalid_request`
 */
export function readStreamSettings(body: unknown, before?: StreamSettings): StreamSettings {
  const said = objectOf(body)
  const { delivery, events_requested, description } = said
  const defaults = before ?? { endpoint_url: null, events_delivered: SIGNAL_EVENTS, description: null }
  return {
    endpoint_url: delivery === undefined ? defaults.endpoint_url : readDelivery(delivery),
    events_delivered: events_requested === undefined ? defaults.events_delivered : readEvents(events_requested),
    description: description === undefined ? defaults.description : readText('description', description),
  }
}

function readDelivery(delivery: unknown): string | null {
  const { method, endpoint_url, authorization_header } = objectOf(delivery)
  if (method === POLL) return null
  if (method !== PUSH) throw refusal('the delivery method is not supported')
  // It would be a secret of the receiver's. The token's signature says who sends it.
  if (authorization_header !== undefined) throw refusal('authorization_header is not supported')
  // RFC 3986: nothing but printable ASCII. Which hosts may be called is asked at each push.
  if (typeof endpoint_url === 'string' && endpoint_url.length <= MAX_URL && /^https?:[!-~]+$/.test(endpoint_url)) {
    const url = URL.parse(endpoint_url)
    if (url !== null && url.username === '' && url.password === '') return endpoint_url
  }
  throw refusal('endpoint_url is not a URL')
}

/** SSF §8.1.1: what is requested and not supported is not delivered. */
function readEvents(requested: unknown): readonly string[] {
  if (!Array.isArray(requested) || requested.length > 100) throw refusal('events_requested is not a list')
  return SIGNAL_EVENTS.filter((event) => requested.includes(event))
}

/** @throws {OAuthError} `invalid_request` */
export function readStatus(body: unknown): { readonly status: StreamStatus; readonly reason: string | null } {
  const { status, reason } = objectOf(body)
  const known = STREAM_STATUSES.find((name) => name === status)
  if (known === undefined) throw refusal('status is enabled, paused or disabled')
  return { status: known, reason: reason === undefined ? null : readText('reason', reason) }
}

/** RFC 8936 §2.2 */
export interface PollRequest {
  readonly maxEvents: number
  /** Also without any events. */
  readonly returnImmediately: boolean
  /** What has been taken, or could not be: it does not come again. */
  readonly settled: readonly { readonly jti: string; readonly error: string | null }[]
}

const MOST_EVENTS = 100
const MOST_SETTLED = 1000

/** @throws {OAuthError} `invalid_request` */
export function readPoll(body: unknown): PollRequest {
  const { maxEvents = MOST_EVENTS, returnImmediately = false, ack = [], setErrs = {} } = objectOf(body)
  if (typeof maxEvents !== 'number' || !Number.isInteger(maxEvents) || maxEvents < 0) {
    throw refusal('maxEvents is not a number of events')
  }
  if (typeof returnImmediately !== 'boolean') throw refusal('returnImmediately is neither true nor false')
  if (!Array.isArray(ack)) throw refusal('ack is not a list')
  const taken = ack.map((jti) => ({ jti: readText('ack', jti), error: null }))
  const failed = Object.entries(objectOf(setErrs)).map(([jti, said]) => {
    return { jti: readText('setErrs', jti), error: readText('setErrs', objectOf(said).err) }
  })
  const settled = [...taken, ...failed]
  if (settled.length > MOST_SETTLED) throw refusal('too much is settled at once')
  return { maxEvents: Math.min(maxEvents, MOST_EVENTS), returnImmediately, settled }
}

/** @throws {OAuthError} `invalid_request` */
export function readText(name: string, value: unknown): string {
  // A NUL is no text of PostgreSQL's.
  const is_text = typeof value === 'string' && value.isWellFormed() && !value.includes('\0')
  if (is_text && value.length <= MAX_DESCRIPTION) return value
  throw refusal(`${name} is not a text of at most ${MAX_DESCRIPTION} characters`)
}

/** @throws {OAuthError} `invalid_request` */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw refusal('the body is not a JSON object of the right form')
}

function refusal(description: string): OAuthError {
  return new OAuthError('invalid_request', description)
}

/** Waits between attempts to push; with the last one, a receiver has been out of reach for about a day. */
const RETRY_SECONDS: readonly Seconds[] = [5, 30, 120, 600, 1800, 7200, 21_600, 54_000]

/** How one push went. */
export type PushAttempt =
  | { readonly outcome: 'delivered' }
  /** RFC 8935 §2.3: the receiver says that it will never take it. */
  | { readonly outcome: 'refused'; readonly error: string }
  | { readonly outcome: 'failed'; readonly error: string }

/** What becomes of an event after a push. @param attempts counts the one that was made */
export function settlePush(attempt: PushAttempt, attempts: number, now: Seconds) {
  if (attempt.outcome === 'delivered') return { settled_at: now, next_attempt_at: now, last_error: null }
  const wait = RETRY_SECONDS[attempts - 1]
  const given_up = attempt.outcome === 'refused' || wait === undefined
  return { settled_at: given_up ? now : null, next_attempt_at: now + (wait ?? 0), last_error: attempt.error }
}
