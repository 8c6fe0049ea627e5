import type { SendResponse } from './response_mode.ts'

/**
 * The answer in the query of the redirect URI; one that is registered with it is kept.
 *
 * @see [RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2)
 */
export const query: SendResponse = ({ reply, redirect_uri }, parameters) => {
  const joint = redirect_uri.includes('?') ? '&' : '?'
  // RFC 9700 §4.12: 303, so that no form is sent on to the client.
  return reply.redirect(`${redirect_uri}${joint}${new URLSearchParams(parameters).toString()}`, 303)
}
