import type { Deps } from '../deps.ts'
import { auditRecord } from '../observe/audit.ts'
import { type Client, MADE_BY_ADMIN } from '../protocol/client.ts'
import { metadataDocumentProblems } from '../protocol/client_self_registration.ts'
import { OAuthError } from '../protocol/errors.ts'
import type { Seconds } from '../protocol/time.ts'
import { documentOf, refusal, selfRegisteredMetadata } from './self_registration.ts'

/** Clients whose `client_id` is the address of the document that registers them. */
export interface MetadataDocuments {
  /**
   * @param stored what was fetched before
   * @throws {OAuthError} `invalid_client` when the document cannot be fetched, or registers nothing
   */
  find(client_id: string, stored: Client | undefined): Promise<Client>
}

const LEAST_SECONDS = 300
const MOST_SECONDS = 86_400
/** A document that cannot be fetched again is believed so much longer: its host may be down. */
const STALE_SECONDS = 3600
const SECONDS_AFTER_FAILURE = 15
const MAX_REMEMBERED = 1000
/** Of all the fetches that there may be: hosts that strangers name, and that never answer, leave the rest to others. */
const MAX_AT_ONCE = 16
const HOUR = 3600

type DocumentDeps = Pick<Deps, 'config' | 'store' | 'keys' | 'outbound' | 'clock' | 'random'>

/**
 * Fetches and keeps metadata documents. Whoever asks for one that is being fetched waits for the same answer, and one
 * that has just failed is not fetched again for some seconds: addresses come from strangers.
 *
 * @see [OAuth Client ID Metadata Document §4](https://datatracker.ietf.org/doc/html/draft-ietf-oauth-client-id-metadata-document#section-4)
 */
export function createMetadataDocuments(deps: DocumentDeps): MetadataDocuments {
  const under_way = new Map<string, Promise<Client>>()
  const failed = new Map<string, { readonly at: Seconds; readonly error: OAuthError }>()

  const fetchOnce = (client_id: string, stored: Client | undefined): Promise<Client> => {
    const known = under_way.get(client_id)
    if (known !== undefined) return known
    const fetching = fetchClient(deps, client_id, stored).finally(() => under_way.delete(client_id))
    under_way.set(client_id, fetching)
    return fetching
  }

  /** @returns the client, or why there is none */
  const attempt = async (client_id: string, stored: Client | undefined): Promise<Client | OAuthError> => {
    const now = deps.clock.now()
    const failure = failed.get(client_id)
    if (failure !== undefined && failure.at + SECONDS_AFTER_FAILURE > now) return failure.error
    if (under_way.size >= MAX_AT_ONCE && !under_way.has(client_id)) return tooMany(1)
    try {
      return await fetchOnce(client_id, stored)
    } catch (error) {
      if (!(error instanceof OAuthError)) throw error
      failed.delete(client_id)
      const [oldest] = failed.keys()
      if (oldest !== undefined && failed.size >= MAX_REMEMBERED) failed.delete(oldest)
      failed.set(client_id, { at: now, error })
      return error
    }
  }

  return {
    async find(client_id, stored) {
      const now = deps.clock.now()
      const expires_at = stored?.metadata_expires_at ?? 0
      if (stored !== undefined && expires_at > now) return stored
      const found = await attempt(client_id, stored)
      if (!(found instanceof OAuthError)) return found
      if (stored !== undefined && expires_at + STALE_SECONDS > now) return stored
      throw found
    },
  }
}

async function fetchClient(deps: DocumentDeps, client_id: string, stored: Client | undefined): Promise<Client> {
  const now = deps.clock.now()
  if (stored === undefined) await checkRoom(deps, now)
  const { json, cache_control } = await deps.outbound.getJson(client_id).catch((cause: unknown) => {
    const detail = cause instanceof Error ? cause.message : String(cause)
    throw unusable('the client metadata document could not be fetched', detail)
  })
  const client: Client = {
    ...(await readMetadata(deps, client_id, json, stored)),
    ...MADE_BY_ADMIN,
    origin: 'metadata_document',
    client_id,
    client_secret_digest: null,
    metadata_expires_at: now + lifetime(cache_control),
    last_used_at: stored?.last_used_at ?? null,
    disabled_at: stored?.disabled_at ?? null,
    created_at: stored?.created_at ?? now,
    updated_at: now,
  }
  const audit = auditRecord(deps, 'client.document_fetched', {
    client_id,
    detail: { redirect_uris: client.redirect_uris },
  })
  if ((await deps.store.saveMetadataDocument(client, [audit])) === 'saved') return client
  throw unusable('the client_id is taken', 'it belongs to a client of another origin')
}

/** New ones an hour are as many as registrations: strangers can make up addresses without end. */
async function checkRoom({ config, store }: DocumentDeps, now: Seconds): Promise<void> {
  if ((await store.countClients('metadata_document', now - HOUR)) < config.registration.max_per_hour) return
  throw tooMany(HOUR)
}

function tooMany(retry_after: Seconds): OAuthError {
  return new OAuthError('temporarily_unavailable', 'too many new clients; try again later', { retry_after })
}

async function readMetadata(deps: DocumentDeps, client_id: string, json: unknown, stored: Client | undefined) {
  try {
    const document = documentOf(json)
    const problems = metadataDocumentProblems(document, client_id)
    if (problems.length > 0) throw refusal(problems)
    // §4.1: there is no shared secret, so that the default method of RFC 7591 cannot be meant.
    return await selfRegisteredMetadata(deps, { token_endpoint_auth_method: 'none', ...document }, stored, false)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    throw unusable(`the client metadata document is not valid: ${error.description}`, error.code)
  }
}

/** RFC 9111 §5.2.2: how long an answer is fresh, within our bounds. */
function lifetime(cache_control: string | undefined): Seconds {
  const max_age = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(cache_control ?? '')?.[1]
  return Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, Number(max_age ?? 0)))
}

// 400: a page and the token endpoint may both say so (RFC 6749 §5.2).
function unusable(description: string, detail: string): OAuthError {
  return new OAuthError('invalid_client', description, { status: 400, detail })
}
