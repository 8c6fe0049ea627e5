import type { ResponseParameters, SendResponse } from './response_mode.ts'

/**
 * The answer in the query of the redirect URI; one that is registered with it is kept.
 *
 * @see [RFC 6749 §4.1.2](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2)
 */
export const query: SendResponse = ({ reply, redirect_uri }, parameters) =>
  // RFC 9700 §4.12: 303, so that no form is sent on to the client.
  reply.redirect(queryLocation(redirect_uri, parameters), 303)

/** A redirect URI with an answer in its query. */
export function queryLocation(redirect_uri: string, parameters: ResponseParameters): string {
  const joint = redirect_uri.includes('?') ? '&' : '?'
  return `${redirect_uri}${joint}${new URLSearchParams(parameters).toString()}`
}
