import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { Problem } from '../http/problem.ts'
import { auditRecord } from '../observe/audit.ts'
import { administratorOf } from './guard.ts'
import { closed, Instant, nullable, problems, SigningAlgorithmName } from './schemas.ts'

const KeyView = Type.Object({
  kid: Type.String(),
  alg: SigningAlgorithmName,
  state: Type.String({ description: 'next → active → retiring → removed' }),
  created_at: Instant,
  activated_at: nullable(Instant),
  retired_at: nullable(Instant),
})
const RotationView = Type.Object({ kid: Type.String(), retired: nullable(Type.String()) })
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

/** The keys that tokens are signed with; their private halves never leave the vault. */
export function keys(deps: Deps): FastifyPluginAsyncTypebox {
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
      async () => ({ items: [...deps.keys.list()] }),
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
        return { kid: rotation.kid, retired: rotation.retired }
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
