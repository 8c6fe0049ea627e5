/** Reads status lists as a resource server does that nobody here wrote: jose verifies, zlib inflates. */
import { inflateSync } from 'node:zlib'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { claimsOf, type TestApp } from './app.ts'

export interface StatusReference {
  readonly idx: number
  readonly uri: string
}

/** What an access token says about its status. */
export function statusOf(access_token: string): StatusReference {
  return (claimsOf(access_token).status as { status_list: StatusReference }).status_list
}

/** Fetches the list of a token, verifies it, and looks its bit up. */
export async function isRevokedInList(server: TestApp, access_token: string): Promise<boolean> {
  const { idx, uri } = statusOf(access_token)
  const { lst, bits } = await readStatusList(server, uri)
  if (bits !== 1) throw new Error('one bit each')
  const bytes = inflateSync(Buffer.from(lst, 'base64url'))
  return (((bytes[idx >> 3] ?? 0) >> (idx & 7)) & 1) === 1
}

export async function readStatusList(server: TestApp, uri: string): Promise<{ bits: number; lst: string }> {
  const response = await server.inject({
    url: new URL(uri).pathname,
    headers: { accept: 'application/statuslist+jwt' },
  })
  if (response.statusCode !== 200) throw new Error(`${uri}: ${response.statusCode} ${response.body}`)
  const keys = createLocalJWKSet((await server.inject({ url: '/.well-known/jwks.json' })).json())
  const currentDate = new Date(server.clock.now() * 1000)
  const { payload } = await jwtVerify<{ status_list: { bits: number; lst: string } }>(response.body, keys, {
    typ: 'statuslist+jwt',
    subject: uri,
    requiredClaims: ['iat', 'exp', 'ttl', 'status_list'],
    currentDate,
  })
  return payload.status_list
}
