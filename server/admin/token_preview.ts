import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { notFound, Problem } from '../http/problem.ts'
import type { Account } from '../protocol/account.ts'
import type { Client } from '../protocol/client.ts'
import { OAuthError } from '../protocol/errors.ts'
import { assertMayIssue, type Grant } from '../protocol/grant.ts'
import { randomId } from '../protocol/random_id.ts'
import type { Target } from '../protocol/target.ts'
import { composeAccessToken } from '../tokens/issue.ts'
import { grantFrom } from '../tokens/new_grant.ts'
import { resolveTarget } from '../tokens/resources.ts'
import { requireAccount } from './account_changes.ts'
import { closed, Identifier, problems, text } from './schemas.ts'

/** Base64url of an RSA signature of 2048 bits, and the dots. */
const SIGNATURE_BYTES = 342
/** What this server and its verifier read. */
const MOST_READ_BYTES = 8192

const query = closed({
  resource: text(2048, 'The URI of the resource.'),
  account: Type.Optional(Identifier),
  client_id: Identifier,
  scope: Type.Optional(text(2048)),
})

const Preview = Type.Object({
  header: Type.Record(Type.String(), Type.Unknown()),
  claims: Type.Record(Type.String(), Type.Unknown()),
  bytes: Type.Integer({ description: 'How long the token would be, about.' }),
  warnings: Type.Array(Type.String()),
})

/** The token that somebody would get at a resource: what it would say, unsigned, so that it is none. */
export function tokenPreview(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/resources/token-preview',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags: ['resources'],
          operationId: 'previewToken',
          querystring: query,
          response: { 200: Preview, ...problems },
        },
      },
      async ({ query: { resource, account: name, client_id, scope } }) => {
        const client = await deps.store.findClient(client_id)
        if (client === undefined) throw notFound('client')
        const account = name === undefined ? null : await requireAccount(deps, name)
        return preview(deps, { client, account }, { resource, scope })
      },
    )
  }
}

async function preview(
  deps: Deps,
  parties: { readonly client: Client; readonly account: Account | null },
  asked: { readonly resource: string; readonly scope: string | undefined },
) {
  try {
    const target = await resolveTarget(deps, parties, { resource: [asked.resource], scope: asked.scope })
    const grant = parties.account === null ? null : imagined(deps, parties.client, parties.account, target)
    const entitlement = assertMayIssue({ ...parties, grant })
    const claims = composeAccessToken(deps, entitlement, target, { now: deps.clock.now() })
    const header = { alg: target.signing_alg, typ: target.token_typ, kid: 'the active key' }
    const bytes = encoded(header) + encoded(claims) + SIGNATURE_BYTES + 2
    return { header, claims: { ...claims }, bytes, warnings: warningsOf(deps, target, bytes) }
  } catch (error) {
    // What the token endpoint would answer, and why.
    if (error instanceof OAuthError) throw new Problem(409, error.detail ?? error.description)
    throw error
  }
}

/** A grant as it would be, after a sign-in with a password just now. */
function imagined({ config, clock, random }: Deps, client: Client, account: Account, target: Target): Grant {
  const now = clock.now()
  const facts = {
    grant_id: randomId(random),
    account_id: account.account_id,
    session_id: randomId(random),
    scope: target.scope,
    resources: target.resources,
    auth_time: now,
    amr: ['pwd'],
    acr: null,
    claims: null,
    authorization_details: [],
    status_index: 0,
  }
  const caller = { address_prefix: '', user_agent: null, request_id: '' }
  return grantFrom(config, client, facts, { now, caller, access_token_seconds: target.access_token_seconds })
}

function warningsOf({ config }: Deps, { token_typ }: Target, bytes: number): string[] {
  const { access_token_budget_bytes } = config.tokens
  const warnings: string[] = []
  if (bytes > access_token_budget_bytes) {
    warnings.push(`it is over its budget of ${access_token_budget_bytes} bytes, and proxies may refuse the request`)
  }
  if (bytes > MOST_READ_BYTES) warnings.push(`it is over ${MOST_READ_BYTES} bytes, which verifiers refuse`)
  if (token_typ === 'JWT') warnings.push('its typ is JWT: only its claims tell it from an ID token')
  return warnings
}

function encoded(value: object): number {
  return Math.ceil((Buffer.byteLength(JSON.stringify(value)) * 4) / 3)
}
