import type { SendResponse } from './response_mode.ts'

/**
 * The answer in the fragment of the redirect URI, which no registered one has.
 *
 * @see [OAuth 2.0 Multiple Response Type Encoding Practices §2.1](https://openid.net/specs/oauth-v2-multiple-response-types-1_0.html#ResponseModes)
 */
export const fragment: SendResponse = ({ reply, redirect_uri }, parameters) =>
  reply.redirect(`${redirect_uri}#${new URLSearchParams(parameters).toString()}`, 303)
