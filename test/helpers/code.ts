/** Authorization codes without anybody signing in, and what a client gets for them. */
import { createHash } from 'node:crypto'
import type { Account } from '../../server/protocol/account.ts'
import type { AuthorizationRequest } from '../../server/protocol/authorization_request.ts'
import type { Client } from '../../server/protocol/client.ts'
import type { Session } from '../../server/protocol/session.ts'
import { issueAuthorizationCode } from '../../server/tokens/authorization_code.ts'
import type { TestApp } from './app.ts'
import { makeRequest } from './interaction.ts'
import { seedSession } from './session.ts'

const REDIRECT_URI = 'https://app.example/callback'
export const VERIFIER = 'v'.repeat(43)
const CALLER = { address_prefix: '127.0.0.1/32', user_agent: null, request_id: 'test' }

/** A code for what `request` asks, with PKCE. @param session left out: one that has just begun */
export async function codeFor(
  server: Pick<TestApp, 'deps' | 'issuer'>,
  client: Client,
  account: Account,
  { session, ...request }: Partial<AuthorizationRequest> & { session?: Session } = {},
): Promise<string> {
  const { deps } = server
  const { account_id } = account
  const issued = await issueAuthorizationCode(
    deps,
    {
      request: makeRequest({
        client_id: client.client_id,
        redirect_uri: client.redirect_uris[0] ?? REDIRECT_URI,
        scope: 'openid',
        resources: [server.issuer],
        code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
        ...request,
      }),
      session: session ?? (await seedSession(deps, { account_id })).session,
      interaction_id: null,
    },
    CALLER,
  )
  if (issued.outcome !== 'issued') throw new Error(issued.outcome)
  return issued.code
}

/** The token request for a code of a public client. */
export function codeForm(client: Client, code: string): Record<string, string> {
  return {
    grant_type: 'authorization_code',
    client_id: client.client_id,
    code,
    redirect_uri: client.redirect_uris[0] ?? REDIRECT_URI,
    code_verifier: VERIFIER,
  }
}
