import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { createSetupLink } from '../accounts/setup_link.ts'
import type { Deps } from '../deps.ts'
import { Problem } from '../http/problem.ts'
import { administratorOf } from './guard.ts'
import { problems } from './schemas.ts'

const SetupLinkView = Type.Object({ setup_url: Type.String(), expires_in: Type.Integer() })

/** The link for the first administrator, made anew. */
export function setupLinks(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/setup-links',
      {
        config: { scope: 'gatehouse:write' },
        schema: { tags: ['accounts'], operationId: 'createSetupLink', response: { 201: SetupLinkView, ...problems } },
      },
      async (request, reply) => {
        const link = await createSetupLink(deps, administratorOf(request).actor)
        if (link === 'administrator_exists') throw new Problem(409, 'there is an administrator already')
        return reply.code(201).send({ setup_url: link.setup_url, expires_in: link.expires_at - deps.clock.now() })
      },
    )
  }
}
