/**
 * Verifies a signature of the issuer.
 *
 * @see [RFC 7515 §5.2](https://www.rfc-editor.org/rfc/rfc7515#section-5.2)
 */
import { compactVerify, decodeProtectedHeader } from 'jose'
import { isObject, type Members, type ReadHeader, readHeader } from './access_token.ts'
import type { IssuerKeys } from './issuer_keys.ts'

/** There are about as many headers as keys. */
const MAX_HEADERS = 64
/** What a header may be long to be remembered; a longer one is read each time. */
const MAX_HEADER_CHARACTERS = 512

/**
 * @returns the members of the payload, or what is wrong, for the log
 * @throws VerifierError, 503: the keys are not at hand
 */
export type VerifyJwt = (jwt: string, typ: string) => Promise<Members | string>

/** @param algorithms which are allowed at all */
export function jwtVerifier(keys: IssuerKeys, algorithms: readonly string[]): VerifyJwt {
  const headers = new Map<string, ReadHeader>()
  const utf8 = new TextDecoder('utf-8', { fatal: true })

  /** What signed tokens had in common is read once. Only of good ones: a stranger could fill it otherwise. */
  function remember(name: string, header: ReadHeader): void {
    if (name.length > MAX_HEADER_CHARACTERS) return
    if (headers.size >= MAX_HEADERS) headers.clear()
    headers.set(name, header)
  }

  function read(jwt: string, typ: string): ReadHeader | string {
    const header = decoded(jwt)
    return header === undefined ? 'not a JWS' : readHeader(header, typ, algorithms)
  }

  return async (jwt, typ) => {
    const name = `${typ} ${jwt.slice(0, jwt.indexOf('.'))}`
    const known = headers.get(name)
    const header = known ?? read(jwt, typ)
    if (typeof header === 'string') return header
    const found = keys.find(header.kid, header.alg)
    const key = found instanceof Promise ? await found : found
    // RFC 8725 §3.10: the key is one of the issuer's; jwk, jku, x5u and x5c in the header are not looked at.
    if (key === undefined) return 'signed by no key of the issuer'
    try {
      const { payload } = await compactVerify(jwt, key, { algorithms: [header.alg] })
      if (known === undefined) remember(name, header)
      const members: unknown = JSON.parse(utf8.decode(payload))
      return isObject(members) ? members : 'the payload is no object'
    } catch {
      return 'the signature or the form is wrong'
    }
  }
}

function decoded(jwt: string): Members | undefined {
  try {
    return { ...decodeProtectedHeader(jwt) }
  } catch {
    return undefined
  }
}
