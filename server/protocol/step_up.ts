import type { AccessTokenClaims } from './access_token.ts'
import { OAuthError } from './errors.ts'
import type { Seconds } from './time.ts'

/** How a person has to have signed in for what a request is about to do. */
export interface AuthenticationRequirement {
  /** Any of these contexts. */
  readonly acr_values?: readonly string[]
  /** So long ago at most. */
  readonly max_age?: Seconds
}

/**
 * Whether the sign-in behind a token is recent and strong enough. The refusal says what to ask the authorization
 * endpoint for.
 *
 * @returns undefined: it is
 * @see [RFC 9470 §3](https://www.rfc-editor.org/rfc/rfc9470#section-3)
 */
export function authenticationProblem(
  { acr, auth_time }: Pick<AccessTokenClaims, 'acr' | 'auth_time'>,
  { acr_values, max_age }: AuthenticationRequirement,
  now: Seconds,
): OAuthError | undefined {
  const strong = acr_values === undefined || (acr !== undefined && acr_values.includes(acr))
  const recent = max_age === undefined || (auth_time !== undefined && now - auth_time <= max_age)
  if (strong && recent) return undefined
  return new OAuthError('insufficient_user_authentication', 'this needs a more recent or a stronger sign-in', {
    challenge: {
      ...(acr_values === undefined ? {} : { acr_values: acr_values.join(' ') }),
      ...(max_age === undefined ? {} : { max_age: String(max_age) }),
    },
  })
}
