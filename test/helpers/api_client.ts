/** Asks a resource server as a client of it would. */

/** @param token sent as RFC 6750 §2.1 says */
export type Get = (path: string, token?: string) => Promise<Response>

export function apiClient(base_url: string): Get {
  return (path, token) =>
    fetch(`${base_url}${path}`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } })
}

/** What RFC 6750 §3 says about a refusal: status and challenge. */
export async function refusal(response: Promise<Response>): Promise<[status: number, challenge: string | null]> {
  const { status, headers } = await response
  return [status, headers.get('www-authenticate')]
}
