/**
 * What a request says about the person's part in it.
 *
 * @see [OpenID Connect Core 1.0 §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)
 */
import { PROMPTS, type Prompt } from './authorization_request.ts'
import { OAuthError } from './errors.ts'
import type { Seconds } from './time.ts'

/** The values of a space-separated list, each once. */
export function readList(value: string | undefined): readonly string[] {
  return [...new Set(value?.split(' ').filter((item) => item !== ''))]
}

/** @throws {OAuthError} `invalid_request` */
export function readPrompt(value: string | undefined): readonly Prompt[] {
  const prompt = readList(value).map((item) => {
    const known = PROMPTS.find((one) => one === item)
    // Initiating User Registration 1.0 §4: a value that is not supported is an invalid_request.
    if (known === undefined) throw new OAuthError('invalid_request', 'prompt has a value that is not supported')
    return known
  })
  // §3.1.2.1: none with any other value is an error.
  if (prompt.includes('none') && prompt.length > 1) {
    throw new OAuthError('invalid_request', 'prompt=none allows no other value beside it')
  }
  return prompt
}

/** @throws {OAuthError} `invalid_request` */
export function readMaxAge(value: string | undefined): Seconds | null {
  if (value === undefined) return null
  if (!/^\d{1,10}$/.test(value)) throw new OAuthError('invalid_request', 'max_age is not a number of seconds')
  return Number(value)
}
