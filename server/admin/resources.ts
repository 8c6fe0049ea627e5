import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { notFound, orRefuse, Problem } from '../http/problem.ts'
import type { ClaimMapping } from '../protocol/claim_mapping.ts'
import type { Resource } from '../protocol/resource.ts'
import { normalizedResource, type ResourceRegistration } from '../protocol/resource_registration.ts'
import { builtInResources, findResources } from '../tokens/resources.ts'
import { administratorOf } from './guard.ts'
import { createResource, planResource, updateResource } from './resource_changes.ts'
import {
  closed,
  Instant,
  nullable,
  page,
  pageQuery,
  pageRequest,
  problems,
  SigningAlgorithmName,
  text,
  whole,
} from './schemas.ts'

const TokenTypName = Type.Union([Type.Literal('at+jwt'), Type.Literal('JWT')], {
  description: 'The typ in the header of its tokens. JWT: for verifiers that refuse at+jwt.',
})

const changeable = {
  scopes: Type.Optional(
    nullable(Type.Array(text(255), { maxItems: 200, description: 'null: any scope that the client may ask for.' })),
  ),
  access_token_seconds: Type.Optional(nullable(whole(10, 86_400))),
  signing_alg: Type.Optional(SigningAlgorithmName),
  introspection_clients: Type.Optional(Type.Array(text(255), { maxItems: 100 })),
  authorization_details_types: Type.Optional(
    Type.Array(text(255), {
      maxItems: 100,
      description: 'The types of authorization_details that mean something there (RFC 9396 §2).',
    }),
  ),
  claims: Type.Optional(
    Type.Record(Type.String({ minLength: 1, maxLength: 255 }), Type.Unknown(), {
      maxProperties: 64,
      description: 'What its tokens say besides; `{{name}}` stands for what is known. See docs/claims.md.',
    }),
  ),
  token_typ: Type.Optional(TokenTypName),
}

/** A resource of the apply file, and a new one. */
export const ResourceDocument = closed({ resource: text(2048), ...changeable })

const ResourceView = Type.Object({
  resource: Type.String(),
  scopes: nullable(Type.Array(Type.String())),
  access_token_seconds: nullable(Type.Integer()),
  signing_alg: SigningAlgorithmName,
  introspection_clients: Type.Array(Type.String()),
  authorization_details_types: Type.Array(Type.String()),
  claims: Type.Record(Type.String(), Type.Unknown()),
  token_typ: TokenTypName,
  built_in: Type.Boolean({ description: 'There without having been registered.' }),
  created_at: Instant,
  updated_at: Instant,
})

const tags = ['resources']
const one = closed({ resource: text(2048, 'The URI of the resource.') })

export function describeResource(resource: Resource, built_in = false) {
  const { scopes, introspection_clients, authorization_details_types, ...rest } = resource
  return {
    ...rest,
    scopes: scopes === null ? null : [...scopes],
    introspection_clients: [...introspection_clients],
    authorization_details_types: [...authorization_details_types],
    built_in,
  }
}

/** The body has been parsed from JSON, so that what is in `claims` is JSON. */
export function askedResource(body: Static<typeof ResourceDocument>): ResourceRegistration {
  const { claims, ...rest } = body
  return claims === undefined ? rest : { ...rest, claims: claims as ClaimMapping }
}

/** The APIs that tokens are for. Their names are URIs, so a single one is named by `?resource=`. */
export function resources(deps: Deps): FastifyPluginAsyncTypebox {
  const { admin_resource, default_resource } = builtInResources(deps.config)

  async function builtInOnes(): Promise<Resource[]> {
    const registered = await deps.store.findResources([default_resource])
    const names = registered.length > 0 ? [admin_resource] : [admin_resource, default_resource]
    return findResources(deps, names)
  }

  async function requireRegistered(name: string): Promise<Resource> {
    const resource = normalizedResource(name)
    const [registered] = resource === undefined ? [] : await deps.store.findResources([resource])
    if (registered !== undefined) return registered
    if (resource === admin_resource) throw new Problem(409, 'the admin API itself cannot be changed')
    if (resource === default_resource)
      throw new Problem(409, 'the default resource is built in; register it to change it')
    throw notFound('resource')
  }

  return async (app) => {
    app.get(
      '/resources',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags,
          operationId: 'listResources',
          querystring: closed({ ...pageQuery, resource: Type.Optional(text(2048, 'Only this one.')) }),
          response: { 200: page(ResourceView), ...problems },
        },
      },
      async (request) => {
        const { resource, ...asked } = request.query
        const builtIn = (await builtInOnes()).map((found) => describeResource(found, true))
        if (resource !== undefined) {
          const name = normalizedResource(resource) ?? resource
          const registered = (await deps.store.findResources([name])).map((found) => describeResource(found))
          return { items: [...registered, ...builtIn.filter((found) => found.resource === name)], next_cursor: null }
        }
        const { items, next_cursor } = await deps.store.listResources(pageRequest(asked))
        const first = asked.cursor === undefined ? builtIn : []
        return { items: [...first, ...items.map((found) => describeResource(found))], next_cursor }
      },
    )

    app.post(
      '/resources',
      {
        config: { scope: 'gatehouse:write' },
        schema: {
          tags,
          operationId: 'createResource',
          body: ResourceDocument,
          response: { 201: ResourceView, ...problems },
        },
      },
      async (request, reply) => {
        const resource = orRefuse(planResource(deps, undefined, askedResource(request.body)))
        await createResource(deps, administratorOf(request), resource)
        return reply.code(201).send(describeResource(resource))
      },
    )

    app.patch(
      '/resources',
      {
        config: { scope: 'gatehouse:write' },
        schema: {
          tags,
          operationId: 'updateResource',
          querystring: one,
          body: closed(changeable),
          response: { 200: ResourceView, ...problems },
        },
      },
      async (request) => {
        const existing = await requireRegistered(request.query.resource)
        const asked = askedResource({ ...request.body, resource: existing.resource })
        const resource = orRefuse(planResource(deps, existing, asked))
        await updateResource(deps, administratorOf(request), resource)
        return describeResource(resource)
      },
    )
  }
}
