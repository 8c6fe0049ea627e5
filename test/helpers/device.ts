/** A device, and the person who lets it in. */
import type { Client } from '../../server/protocol/client.ts'
import { DEVICE_CODE_GRANT } from '../../server/protocol/device_code.ts'
import type { TestApp } from './app.ts'
import { seedSession } from './session.ts'
import { type Browser, createBrowser } from './web_client.ts'

/** To be given to `createClient`: a public client without a browser. */
export const DEVICE_CLIENT = {
  client_id: 'tv',
  client_name: 'The television',
  grant_types: [DEVICE_CODE_GRANT, 'refresh_token'],
  scope: 'openid profile read',
} as const satisfies Partial<Client>

export interface DeviceCodes {
  readonly device_code: string
  readonly user_code: string
  readonly verification_uri: string
  readonly verification_uri_complete: string
  readonly expires_in: number
  readonly interval: number
}

export async function startDevice(
  server: TestApp,
  form: Record<string, string> = {},
  headers: Record<string, string> = {},
): Promise<DeviceCodes> {
  const response = await server.postForm('/device_authorization', { client_id: 'tv', ...form }, headers)
  if (response.statusCode !== 200) throw new Error(response.body)
  return response.json()
}

export async function pollDevice(
  server: TestApp,
  device_code: string,
  form: Record<string, string> = {},
  headers: Record<string, string> = {},
) {
  const all = { grant_type: DEVICE_CODE_GRANT, client_id: 'tv', device_code, ...form }
  const response = await server.postForm('/token', all, headers)
  return { status: response.statusCode, body: response.json() }
}

/** A browser in which the account is signed in. */
export async function signedInBrowser(server: TestApp, account_id: string): Promise<Browser> {
  const browser = createBrowser(server)
  const { handle } = await seedSession(server.deps, { account_id })
  browser.cookies.set('gatehouse_session', handle)
  return browser
}

/** The person enters the code and decides. */
export async function decideAbout(
  server: TestApp,
  account_id: string,
  user_code: string,
  decision: 'approve' | 'deny' = 'approve',
): Promise<void> {
  const browser = await signedInBrowser(server, account_id)
  const confirm = await browser.submit(await browser.open('/device'), { user_code })
  const done = await browser.submit(confirm, { decision })
  if (done.statusCode !== 200) throw new Error(done.body)
}
