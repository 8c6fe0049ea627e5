import { HasherBusy } from '../accounts/password.ts'
import { OAuthError } from '../protocol/errors.ts'
import { StorageUnavailable } from '../storage/driver.ts'

const RETRY_AFTER_SECONDS = 1

const busy = () => new OAuthError('temporarily_unavailable', 'the server is busy', { retry_after: RETRY_AFTER_SECONDS })
const malformed = (status: number, description: string) => () =>
  new OAuthError('invalid_request', description, { status })

/** What fastify and its plugins refuse, by their codes. */
const KNOWN_FAULTS: ReadonlyMap<string, () => OAuthError> = new Map([
  ['FST_UNDER_PRESSURE', busy],
  ['FST_ERR_CTP_BODY_TOO_LARGE', malformed(413, 'the request is too large')],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', malformed(415, 'the Content-Type is not supported here')],
  ['FST_ERR_NOT_FOUND', malformed(404, 'there is nothing here')],
])

/**
 * Whatever was thrown, as a refusal that a stranger may read. Each scope renders it in the form that its endpoints'
 * specification defines. What is not recognised is our fault: `server_error`, and the log has the rest.
 */
export function toOAuthError(thrown: unknown): OAuthError {
  if (thrown instanceof OAuthError) return thrown
  if (thrown instanceof StorageUnavailable || thrown instanceof HasherBusy) {
    return new OAuthError('temporarily_unavailable', 'try again in a moment', {
      cause: thrown,
      detail: thrown.message,
      retry_after: RETRY_AFTER_SECONDS,
    })
  }
  const known = KNOWN_FAULTS.get(codeOf(thrown) ?? '')
  if (known !== undefined) return known()
  const status = statusOf(thrown)
  if (status !== undefined && status >= 400 && status < 500) {
    return new OAuthError('invalid_request', 'the request is malformed', { cause: thrown, status })
  }
  return new OAuthError('server_error', 'something went wrong here', { cause: thrown })
}

function codeOf(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined
}

function statusOf(thrown: unknown): number | undefined {
  return thrown instanceof Error && 'statusCode' in thrown && typeof thrown.statusCode === 'number'
    ? thrown.statusCode
    : undefined
}
