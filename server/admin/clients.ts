import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { orRefuse } from '../http/problem.ts'
import { CLIENT_ORIGINS, type Client } from '../protocol/client.ts'
import {
  changeable,
  IGNORED_MEMBERS,
  operatorMembers,
  optional,
  ownMembers,
  registeredMembers,
} from '../protocol/client_metadata.ts'
import {
  type AskedClient,
  createClient,
  deleteClient,
  type PlannedClient,
  planClient,
  planSecret,
  requireClient,
  setClientDisabled,
  updateClient,
} from './client_changes.ts'
import { administratorOf, STEP_UP_SECONDS } from './guard.ts'
import { onLatest } from './latest.ts'
import { closed, Identifier, Instant, NoContent, nullable, page, pageQuery, pageRequest, problems } from './schemas.ts'

// RFC 6749 Appendix A.1 and A.2: both are VSCHARs. A space in an identifier helps nobody.
const ClientId = Type.String({ pattern: '^[\\x21-\\x7e]{1,255}$' })
const ClientSecret = Type.String({
  pattern: '^[\\x20-\\x7e]{8,512}$',
  description: '8 to 512 printable ASCII characters.',
})

const metadata = {
  ...changeable({ ...registeredMembers, ...ownMembers, ...operatorMembers }),
  client_secret: Type.Optional(ClientSecret),
}

const ignored = Object.fromEntries(
  IGNORED_MEMBERS.map((name) => [name, Type.Optional(Type.Unknown({ description: 'Taken and ignored.' }))]),
)

/** A new client, in the words of RFC 7591. */
const ClientDocument = closed({ client_id: Type.Optional(ClientId), ...metadata, ...ignored })
/** A client of the apply file, which names it. */
export const NamedClientDocument = closed({ client_id: ClientId, ...metadata, ...ignored })
const ClientPatch = closed({ ...metadata, ...ignored })

/** A client without its secrets, of which only digests are kept. */
type DescribedClient = Omit<Client, 'client_secret_digest' | 'registration_access_token_digest'>

const view = {
  ...optional({ ...registeredMembers, ...ownMembers, ...operatorMembers }),
  client_id: Type.String(),
  origin: Type.Enum([...CLIENT_ORIGINS]),
  metadata_expires_at: nullable(Instant),
  last_used_at: nullable(Instant),
  disabled_at: nullable(Instant),
  created_at: Instant,
  updated_at: Instant,
}
const ClientView = Type.Unsafe<DescribedClient>(Type.Object(view))
/** What only the answer to its making holds. */
interface IssuedMembers {
  readonly client_secret?: string
  readonly client_secret_expires_at?: number
  readonly ignored_members?: readonly string[]
}
const IssuedClientView = Type.Unsafe<DescribedClient & IssuedMembers>(
  Type.Object({
    ...view,
    client_secret: Type.Optional(Type.String({ description: 'Shown this once.' })),
    client_secret_expires_at: Type.Optional(Type.Integer({ description: '0: never (RFC 7591 §3.2.1).' })),
    ignored_members: Type.Optional(Type.Array(Type.String())),
  }),
)

const tags = ['clients']
const params = closed({ client_id: Identifier })

export function describeClient(client: Client): DescribedClient {
  const { client_secret_digest: _, registration_access_token_digest: _1, ...described } = client
  return described
}

/** The members that were sent and mean nothing here. */
export function ignoredMembers(asked: object): string[] {
  return IGNORED_MEMBERS.filter((name) => name in asked)
}

function describeIssued({ client, issued_secret }: PlannedClient, asked: object = {}): DescribedClient & IssuedMembers {
  const ignored_members = ignoredMembers(asked)
  return {
    ...describeClient(client),
    ...(issued_secret === null ? {} : { client_secret: issued_secret, client_secret_expires_at: 0 }),
    ...(ignored_members.length === 0 ? {} : { ignored_members }),
  }
}

/** The members that a client can be asked for with, out of a document that may hold others. */
export function askedClient(document: AskedClient): AskedClient {
  const others: readonly string[] = IGNORED_MEMBERS
  return Object.fromEntries(Object.entries(document).filter(([name]) => !others.includes(name)))
}

/**
 * The applications that may ask for tokens.
 *
 * @see [RFC 7591 §2](https://www.rfc-editor.org/rfc/rfc7591#section-2)
 */
export function clients(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/clients',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags,
          operationId: 'listClients',
          querystring: closed({ ...pageQuery, origin: Type.Optional(Type.Enum([...CLIENT_ORIGINS])) }),
          response: { 200: page(ClientView), ...problems },
        },
      },
      async (request) => {
        const { origin } = request.query
        const filter = origin === undefined ? {} : { origin }
        const { items, next_cursor } = await deps.store.listClients(filter, pageRequest(request.query))
        return { items: items.map(describeClient), next_cursor }
      },
    )

    app.post(
      '/clients',
      {
        config: { scope: 'gatehouse:write' },
        schema: {
          tags,
          operationId: 'createClient',
          body: ClientDocument,
          response: { 201: IssuedClientView, ...problems },
        },
      },
      async (request, reply) => {
        const by = administratorOf(request)
        const planned = orRefuse(await planClient(deps, by, undefined, askedClient(request.body)))
        await createClient(deps, by, planned.client)
        return reply.code(201).send(describeIssued(planned, request.body))
      },
    )

    app.get(
      '/clients/:client_id',
      {
        config: { scope: 'gatehouse:read' },
        schema: { tags, operationId: 'readClient', params, response: { 200: ClientView, ...problems } },
      },
      async (request) => describeClient(await requireClient(deps, request.params.client_id)),
    )

    app.patch(
      '/clients/:client_id',
      {
        config: { scope: 'gatehouse:write' },
        schema: {
          tags,
          operationId: 'updateClient',
          params,
          body: ClientPatch,
          response: { 200: IssuedClientView, ...problems },
        },
      },
      async (request) => {
        const by = administratorOf(request)
        return onLatest(async () => {
          const existing = await requireClient(deps, request.params.client_id)
          const planned = orRefuse(await planClient(deps, by, existing, askedClient(request.body)))
          const outcome = await updateClient(deps, by, planned.client, existing)
          return outcome === 'stale' ? outcome : describeIssued(planned, request.body)
        })
      },
    )

    app.post(
      '/clients/:client_id/rotate-secret',
      {
        config: { scope: 'gatehouse:write', max_age: STEP_UP_SECONDS },
        schema: { tags, operationId: 'rotateClientSecret', params, response: { 200: IssuedClientView, ...problems } },
      },
      async (request) => {
        const by = administratorOf(request)
        return onLatest(async () => {
          const existing = await requireClient(deps, request.params.client_id)
          const planned = planSecret(deps, by, existing)
          const outcome = await updateClient(deps, by, planned.client, existing, 'admin.client_secret_rotated')
          return outcome === 'stale' ? outcome : describeIssued(planned)
        })
      },
    )

    for (const [path, disabled] of [
      ['disable', true],
      ['enable', false],
    ] as const) {
      app.post(
        `/clients/:client_id/${path}`,
        {
          config: { scope: 'gatehouse:write' },
          schema: { tags, operationId: `${path}Client`, params, response: { 204: NoContent, ...problems } },
        },
        async (request, reply) => {
          await setClientDisabled(deps, administratorOf(request), request.params.client_id, disabled)
          return reply.code(204).send(null)
        },
      )
    }

    app.delete(
      '/clients/:client_id',
      {
        config: { scope: 'gatehouse:write' },
        schema: { tags, operationId: 'deleteClient', params, response: { 204: NoContent, ...problems } },
      },
      async (request, reply) => {
        await deleteClient(deps, administratorOf(request), request.params.client_id)
        return reply.code(204).send(null)
      },
    )
  }
}
