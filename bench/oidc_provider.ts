/**
 * The neighbour: oidc-provider with everything in memory, in a process of its own, signing the same two tokens as we do.
 * Its own adapter for that forgets all but a thousand things, the session among them, so it gets plain maps. It stores
 * nothing and syncs nothing; everything else is as it comes.
 *
 * @see [oidc-provider](https://github.com/panva/node-oidc-provider)
 */
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider, { type Adapter, type AdapterPayload } from 'oidc-provider'
import { answerWith } from './worker.ts'

const RESOURCE = 'https://api.example.com'
const SCOPE = 'openid profile email read'

export interface ProviderRequest {
  readonly client_id: string
  readonly redirect_uri: string
}

export interface ProviderResult {
  readonly port: number
}

function createAdapter(): (model: string) => Adapter {
  const models = new Map<string, Map<string, AdapterPayload>>()
  return (model) => {
    const stored = models.get(model) ?? new Map<string, AdapterPayload>()
    models.set(model, stored)
    const findBy = (matches: (payload: AdapterPayload) => boolean) => [...stored.values()].find(matches)
    return {
      upsert: async (id, payload) => void stored.set(id, payload),
      find: async (id) => stored.get(id),
      findByUid: async (uid) => findBy((payload) => payload.uid === uid),
      findByUserCode: async (userCode) => findBy((payload) => payload.userCode === userCode),
      consume: async (id) => {
        const payload = stored.get(id)
        if (payload !== undefined) stored.set(id, { ...payload, consumed: Math.floor(Date.now() / 1000) })
      },
      destroy: async (id) => void stored.delete(id),
      revokeByGrantId: async (grantId) => {
        for (const [id, payload] of stored) if (payload.grantId === grantId) stored.delete(id)
      },
    }
  }
}

async function start({ client_id, redirect_uri }: ProviderRequest): Promise<ProviderResult> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const provider = new Provider(`http://localhost:${port}`, {
    adapter: createAdapter(),
    clients: [
      {
        client_id,
        redirect_uris: [redirect_uri],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'RS256', use: 'sig', kid: 'bench' }] },
    cookies: { keys: ['a key for the cookies of a benchmark'] },
    findAccount: (_context, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, name: 'A user', email: 'user@example.com', email_verified: true }),
    }),
    scopes: ['openid', 'read'],
    claims: { openid: ['sub'], profile: ['name'], email: ['email', 'email_verified'] },
    features: {
      devInteractions: { enabled: true },
      introspection: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => RESOURCE,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: SCOPE,
          audience: RESOURCE,
          accessTokenFormat: 'jwt',
          accessTokenTTL: 300,
          jwt: { sign: { alg: 'RS256' } },
        }),
      },
    },
    issueRefreshToken: () => true,
    ttl: {
      AccessToken: 300,
      AuthorizationCode: 60,
      IdToken: 300,
      RefreshToken: 86_400,
      Session: 86_400,
      Grant: 86_400,
      Interaction: 600,
    },
  })
  const answer = provider.callback()
  server.on('request', (request, response) => void answer(request, response))
  return { port }
}

answerWith(start)
