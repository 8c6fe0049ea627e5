/**
 * Where the issuer has what, by its metadata.
 *
 * @see [RFC 8414 §3](https://www.rfc-editor.org/rfc/rfc8414#section-3)
 * @see [OpenID Connect Discovery 1.0 §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)
 */
import { isObject, type Members } from './access_token.ts'
import { type Documents, lifetimeOf, NoDocument } from './documents.ts'
import { isSafe, type Settings } from './options.ts'

const MAX_BYTES = 256 * 1024
const LIFETIME = { least: 60, most: 86_400, otherwise: 3_600 }

export interface IssuerMetadata {
  /** @returns the URL of that name. @throws when the metadata cannot be had, or lacks it */
  endpoint(name: 'jwks_uri' | 'revocation_stream_endpoint'): Promise<string>
}

export function issuerMetadata(settings: Settings, documents: Documents): IssuerMetadata {
  let kept: { readonly metadata: Members; readonly fresh_until: number } | undefined
  let fetching: Promise<void> | undefined

  async function refetch(): Promise<void> {
    const { metadata, headers } = await fetchMetadata(settings.issuer, documents)
    kept = { metadata, fresh_until: settings.now() + lifetimeOf(headers, LIFETIME) }
  }

  return {
    async endpoint(name) {
      if (kept === undefined || settings.now() >= kept.fresh_until) {
        fetching ??= refetch().finally(() => {
          fetching = undefined
        })
        // Where things were is better than nothing: the keys there are the issuer's, or the fetch fails as well.
        await fetching.catch((cause: unknown) => {
          if (kept === undefined) throw cause
          settings.on_problem({ what: 'the metadata could not be fetched', cause })
        })
      }
      const url = kept?.metadata[name]
      if (typeof url !== 'string') throw new NoDocument(`the issuer's metadata has no ${name}`)
      if (!isSafe(url, settings.issuer)) throw new NoDocument(`${name} is not https`)
      return url
    },
  }
}

async function fetchMetadata(issuer: string, documents: Documents): Promise<{ metadata: Members; headers: Headers }> {
  let refusal: unknown
  for (const url of addressesOf(issuer)) {
    try {
      const { text, headers } = await documents.fetch(url, { accept: 'application/json', max_bytes: MAX_BYTES })
      const metadata: unknown = JSON.parse(text)
      // RFC 8414 §3.3: the issuer in the metadata MUST be identical to the one that was asked.
      if (isObject(metadata) && metadata.issuer === issuer) return { metadata, headers }
      refusal = new NoDocument(`another issuer answers at ${url}`)
    } catch (error) {
      // The issuer is not there, or not now: it will not be at the next address either.
      if (!(error instanceof NoDocument || error instanceof SyntaxError)) throw error
      refusal = error
    }
  }
  throw refusal
}

/** RFC 8414 §3.1 inserts the well-known path before that of the issuer, OpenID Connect appends it. */
export function addressesOf(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer)
  const path = pathname.replace(/\/$/, '')
  return [
    ...new Set([
      `${origin}/.well-known/oauth-authorization-server${path}`,
      `${origin}${path}/.well-known/openid-configuration`,
      `${origin}/.well-known/openid-configuration${path}`,
    ]),
  ]
}
