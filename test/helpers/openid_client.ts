/** openid-client as a relying party has it: found out by discovery, every check on, every signature verified. */
import * as client from 'openid-client'
import type { Client } from '../../server/protocol/client.ts'
import { CALLBACK, postedToClient, type Registration, type ServedClients } from './clients.ts'
import type { Browser, Landing, Person } from './web_client.ts'

type Configuration = client.Configuration

export interface Flow {
  readonly config: Configuration
  /** How the request reaches the browser. */
  readonly build?: (config: Configuration, parameters: Record<string, string>) => URL | Promise<URL>
  readonly parameters?: Record<string, string>
  readonly person?: Person
  readonly browser?: Browser
  readonly options?: client.AuthorizationCodeGrantOptions
}

export interface Finished {
  readonly tokens: Awaited<ReturnType<typeof client.authorizationCodeGrant>>
  readonly claims: client.IDToken | undefined
  /** What the browser was sent to, and where it ended. */
  readonly url: URL
  readonly landing: Landing
}

type Metadata = Partial<client.ClientMetadata>

export interface RelyingParties {
  readonly discover: (
    known: Pick<Client, 'client_id'>,
    authentication?: client.ClientAuth,
    metadata?: Metadata,
  ) => Promise<Configuration>
  /** A client for the code flow, registered and discovered. */
  readonly register: (
    registration?: Registration,
    authentication?: client.ClientAuth,
    metadata?: Metadata,
  ) => Promise<Configuration>
  /** From the authorization request to the tokens, with every check that openid-client knows. */
  readonly codeFlow: (flow: Flow) => Promise<Finished>
}

/** @param send how requests go out; another one for TLS */
export function relyingParties({ issuer, webClient, visit }: ServedClients, send?: client.CustomFetch): RelyingParties {
  const discover: RelyingParties['discover'] = ({ client_id }, authentication = client.None(), metadata = {}) =>
    client.discovery(new URL(issuer), client_id, metadata, authentication, {
      execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
      ...(send === undefined ? {} : { [client.customFetch]: send }),
    })
  return {
    discover,
    register: async (registration, authentication, metadata) =>
      discover(await webClient(registration), authentication, metadata),
    async codeFlow({ config, build = client.buildAuthorizationUrl, parameters = {}, person, browser, options }) {
      const pkceCodeVerifier = client.randomPKCECodeVerifier()
      const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()]
      const url = await build(config, {
        redirect_uri: CALLBACK,
        scope: 'openid profile email',
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        state: expectedState,
        nonce: expectedNonce,
        max_age: '300',
        ...parameters,
      })
      const landing = await visit(url, person, browser)
      const answer = landing.left ? landing.url : postedToClient(landing)
      const checks = { pkceCodeVerifier, expectedState, expectedNonce, maxAge: 300, idTokenExpected: true }
      const tokens = await client.authorizationCodeGrant(config, answer, checks, undefined, options)
      return { tokens, claims: tokens.claims(), url, landing }
    },
  }
}
