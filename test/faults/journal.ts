/** What the applications of a crash run know: what they have sent, and what was acknowledged to them. */
import type { Answer, Pair } from '../helpers/server_client.ts'

/** One grant, as its application sees it. */
export interface Session {
  /** Every refresh token that was acknowledged, oldest first; an honest application holds the last one. */
  readonly refresh: string[]
  /** The access token beside it; undefined: given up by the application itself. */
  access: string | undefined
  readonly grant_id: string
  /** Sent, and not answered. */
  pending: 'refresh' | 'end' | undefined
}

/** An account that an administrator made during the load, and perhaps disabled again. */
export interface Newcomer {
  readonly username: string
  readonly email: string
  created: 'sent' | 'acknowledged'
  disabled: 'no' | 'sent' | 'acknowledged'
  session: Session | undefined
}

export interface Journal {
  /** The live session of each application; undefined: it has none, or nobody ever told it. */
  readonly live: (Session | undefined)[]
  /** Sessions whose end was acknowledged, in order. */
  readonly ended: Session[]
  readonly newcomers: Newcomer[]
  /** Access tokens whose revocation was acknowledged. */
  readonly revoked_access: string[]
  /** Access tokens of clients that speak for themselves. */
  readonly own_tokens: string[]
  readonly counts: { sent: number; acknowledged: number; unavailable: number; newcomers: number }
  readonly violations: string[]
}

const MOST_CHARACTERS = 160

export function emptyJournal(applications: number): Journal {
  return {
    live: Array.from({ length: applications }, () => undefined),
    ended: [],
    newcomers: [],
    revoked_access: [],
    own_tokens: [],
    counts: { sent: 0, acknowledged: 0, unavailable: 0, newcomers: 0 },
    violations: [],
  }
}

/** The server is gone, or asks to come back later: whether anything has happened is not known. */
export class Unanswered extends Error {}

/** @throws {Unanswered} without a whole answer, and for a 503 */
export async function ask(journal: Journal, request: Promise<Answer>): Promise<Answer> {
  journal.counts.sent += 1
  let answer: Answer
  try {
    answer = await request
  } catch (cause) {
    throw new Unanswered('no answer', { cause })
  }
  if (answer.status === 503) {
    journal.counts.unavailable += 1
    throw new Unanswered('503')
  }
  journal.counts.acknowledged += 1
  if (answer.status >= 500) journal.violations.push(`an answer of ${describe(answer)}`)
  return answer
}

export function startSession({ refresh, access }: Pair): Session {
  const claims: { grant_id: string } = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString())
  return { refresh: [refresh], access, grant_id: claims.grant_id, pending: undefined }
}

/** What an honest application presents next. */
export function heldBy(session: Session): string {
  return session.refresh.at(-1) ?? ''
}

/** Its refresh was answered. */
export function advance(session: Session, { refresh, access }: Pair): void {
  if (refresh !== heldBy(session)) session.refresh.push(refresh)
  session.access = access
  session.pending = undefined
}

/** In a few words: tokens are long. */
export function describe({ status, body }: Answer): string {
  return `${status} ${JSON.stringify(body).slice(0, MOST_CHARACTERS)}`
}
