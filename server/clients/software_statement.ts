import { compactVerify } from 'jose'
import type { Deps } from '../deps.ts'
import { CLIENT_SIGNING_ALGORITHMS, claimsProblem, readHeader, readUnverifiedJwt } from '../protocol/client_jwt.ts'
import { OAuthError } from '../protocol/errors.ts'
import { keysFor } from '../protocol/jwk_set.ts'

type StatementDeps = Pick<Deps, 'config' | 'remoteKeys' | 'clock'>

/**
 * A registration with what a software statement says of the client: it takes precedence over what the client says.
 *
 * @returns the document as it was, without a statement
 * @throws {OAuthError} `invalid_software_statement`, `unapproved_software_statement`
 * @see [RFC 7591 §2.3](https://www.rfc-editor.org/rfc/rfc7591#section-2.3)
 */
export async function withSoftwareStatement(deps: StatementDeps, document: object): Promise<object> {
  if (!('software_statement' in document)) return document
  const { software_statement } = document
  const read = typeof software_statement === 'string' ? readUnverifiedJwt(software_statement) : undefined
  if (typeof software_statement !== 'string' || read === undefined) throw invalid('not a JWT, or too long')
  const header = readHeader(read.header, { algorithms: CLIENT_SIGNING_ALGORITHMS, typ: ['', 'jwt'] })
  if (typeof header === 'string') throw invalid(header)
  const { claims } = read
  const { issuer } = deps.config
  const { iss, aud = issuer } = claims
  if (typeof iss !== 'string' || !deps.config.registration.software_statement_issuers.includes(iss)) {
    const detail = typeof iss === 'string' ? iss : 'no iss'
    throw new OAuthError('unapproved_software_statement', 'the issuer of the software statement is not known here', {
      detail,
    })
  }
  // RFC 8725 §3.12: the same issuer may vouch for people (RFC 7523), and what it says of one is no statement.
  if ('sub' in claims) throw invalid('it is about somebody')
  // RFC 7519 §4.1.3: where it says whom it is for, this server is among them.
  if (![aud].flat().includes(issuer)) throw invalid('the aud is another server')
  const rules = { issuer: iss, audience: [issuer], required_claims: [] }
  const problem = claimsProblem({ ...claims, aud: issuer }, rules, deps.clock.now())
  if (problem !== undefined) throw invalid(problem)
  await verify(deps, iss, software_statement, header)
  return { ...document, ...claims }
}

async function verify(
  deps: StatementDeps,
  issuer: string,
  jwt: string,
  header: { readonly alg: string; readonly kid?: string | undefined },
): Promise<void> {
  try {
    const key = await deps.remoteKeys.findOfIssuer(issuer, (keys) => keysFor(keys, { ...header, use: 'sig' })[0])
    if (key === undefined) throw new Error('no key of the issuer fits')
    await compactVerify(jwt, key)
  } catch (cause) {
    throw invalid(cause instanceof Error ? cause.message : String(cause))
  }
}

function invalid(detail: string): OAuthError {
  return new OAuthError('invalid_software_statement', 'the software statement is not valid', { detail })
}
