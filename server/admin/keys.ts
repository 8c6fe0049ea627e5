import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { type FieldProblem, Problem } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import type { SigningAlgorithm } from '../protocol/resource.ts'
import type { KeyFetcher } from '../storage/records.ts'
import { administratorOf } from './guard.ts'
import { closed, Instant, nullable, page, pageQuery, pageRequest, problems, SigningAlgorithmName } from './schemas.ts'

const KeyView = Type.Object({
  kid: Type.String(),
  alg: SigningAlgorithmName,
  state: Type.String({ description: 'next → active → retiring → removed' }),
  created_at: Instant,
  activated_at: nullable(Instant),
  retired_at: nullable(Instant),
  fetched_by: Type.Integer({ description: 'How many fetchers had it in the JWK Set that they fetched last.' }),
  waits_for: Type.Integer({ description: 'Of a next key: how many of registered resources have not fetched it yet.' }),
})
const FetcherView = Type.Object({
  resource: nullable(
    Type.String({ description: 'The resource that the fetch named (`?resource=`); null: none. Nobody has proved it.' }),
  ),
  address_prefix: Type.String(),
  agent: Type.String({ description: 'The first product of its User-Agent.' }),
  kids: Type.Array(Type.String(), { description: 'The keys of the JWK Set that it fetched last.' }),
  has_next: nullable(
    Type.Boolean({
      description: "Whether the next key of its resource's algorithm is among them; null: there is none.",
    }),
  ),
  first_fetched_at: Instant,
  fetched_at: Instant,
})
const RotationView = Type.Object({
  kid: Type.String(),
  retired: nullable(Type.String()),
  unaware: Type.Array(FetcherView, { description: 'Who had not fetched the key when it began to sign.' }),
})
const RewrapView = Type.Object({
  rewrapped: Type.Integer({ description: 'Secrets that are now under the active key-encryption key.' }),
})
const RotationRequest = closed({
  alg: Type.Optional(SigningAlgorithmName),
  emergency: Type.Optional(
    Type.Boolean({
      description: 'Keys may be in other hands: all of the algorithm are replaced, and no earlier token verifies.',
    }),
  ),
  force: Type.Optional(Type.Boolean({ description: 'Before every verifier can know the next key.' })),
})

const tags = ['keys']
/** Of those who are waited for, in a refusal. */
const MOST_NAMED = 20

/** The keys that tokens are signed with; their private halves never leave the vault. */
export function keys(deps: Deps): FastifyPluginAsyncTypebox {
  const describe = ({ signing_alg, kids, ...fetcher }: KeyFetcher) => {
    const next = nextOf(signing_alg)
    return { ...fetcher, kids: [...kids], has_next: next === undefined ? null : kids.includes(next) }
  }
  const nextOf = (alg: SigningAlgorithm) => {
    return deps.keys.list().find((key) => key.alg === alg && key.state === 'next')?.kid
  }

  return async (app) => {
    app.get(
      '/keys',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags,
          operationId: 'listKeys',
          response: { 200: Type.Object({ items: Type.Array(KeyView) }), ...problems },
        },
      },
      async () => {
        const fetchers = await deps.keys.fetchers()
        const items = deps.keys.list().map((key) => ({
          ...key,
          fetched_by: fetchers.filter(({ kids }) => kids.includes(key.kid)).length,
          waits_for: key.state === 'next' ? (deps.keys.waiting(key.alg, fetchers)?.fetchers.length ?? 0) : 0,
        }))
        return { items }
      },
    )

    app.get(
      '/keys/fetchers',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags,
          operationId: 'listKeyFetchers',
          querystring: closed(pageQuery),
          response: { 200: page(FetcherView), ...problems },
        },
      },
      async (request) => {
        const { items, next_cursor } = await deps.store.listKeyFetchers(pageRequest(request.query))
        return { items: items.map(describe), next_cursor }
      },
    )

    app.post(
      '/keys/rotate',
      {
        config: { scope: 'gatehouse:write' },
        schema: { tags, operationId: 'rotateKey', body: RotationRequest, response: { 200: RotationView, ...problems } },
        // The body may be left out.
        preValidation: async (request) => {
          request.body ??= {}
        },
      },
      async (request) => {
        const { alg = 'RS256', emergency = false, force = false } = request.body
        const { actor } = administratorOf(request)
        const rotation = await deps.keys.rotate({ alg, emergency, force, actor })
        if (rotation.outcome === 'too_early') {
          const { ready_at } = rotation
          throw new Problem(409, 'some verifiers cannot know the next key yet; wait, or use force', { ready_at })
        }
        if (rotation.outcome === 'waiting') {
          const { until, fetchers } = rotation
          const extensions = { ready_at: until, errors: fetchers.slice(0, MOST_NAMED).map(complaint) }
          throw new Problem(409, 'resource servers have not fetched the next key yet; wait, or use force', extensions)
        }
        const { kid, retired, unaware } = rotation
        return { kid, retired, unaware: unaware.map(describe) }
      },
    )

    app.post(
      '/keys/rewrap',
      {
        config: { scope: 'gatehouse:write' },
        schema: { tags, operationId: 'rewrapKeys', response: { 200: RewrapView, ...problems } },
      },
      async (request) => {
        const { actor, caller } = administratorOf(request)
        const rewrapped = await deps.vault.rewrap(deps.store)
        await deps.store.appendAudit([auditRecord(deps, 'keys.rewrapped', { actor, caller, detail: { rewrapped } })])
        return { rewrapped }
      },
    )
  }
}

function complaint({ resource, address_prefix, agent, fetched_at }: KeyFetcher): FieldProblem {
  const at = new Date(fetched_at * 1000).toISOString().replace('T', ' ').replace('.000Z', 'Z')
  return { field: resource ?? '', message: `${agent} at ${address_prefix} fetched the key set last ${at}` }
}
