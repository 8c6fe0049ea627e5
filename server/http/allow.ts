import type { FastifyInstance } from 'fastify'
import { OAuthError } from '../protocol/errors.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** Answers every other method at `url` with 405 and the one that is allowed (RFC 9110 §15.5.6). */
export function allowOnly(app: FastifyInstance, url: string, allowed: 'GET' | 'POST'): void {
  app.route({
    method: METHODS.filter((method) => method !== allowed),
    url,
    handler: (_request, reply) => {
      reply.header('allow', allowed)
      throw new OAuthError('invalid_request', `only ${allowed} is allowed here`, { status: 405 })
    },
  })
}
