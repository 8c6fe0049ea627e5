import type { FastifyInstance } from 'fastify'
import { OAuthError } from '../protocol/errors.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

type Method = (typeof METHODS)[number]

/** Answers every other method at `url` with 405 and those that are allowed (RFC 9110 §15.5.6). */
export function allowOnly(app: FastifyInstance, url: string, ...allowed: readonly Method[]): void {
  app.route({
    method: METHODS.filter((method) => !allowed.includes(method)),
    url,
    handler: (_request, reply) => {
      reply.header('allow', allowed.join(', '))
      throw new OAuthError('invalid_request', `only ${allowed.join(' or ')} is allowed here`, { status: 405 })
    },
  })
}
