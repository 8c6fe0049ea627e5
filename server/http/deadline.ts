import type { FastifyInstance, FastifyReply } from 'fastify'
import { OAuthError } from '../protocol/errors.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How long an answer may take here, where it may take longer than elsewhere. */
    readonly deadline_seconds?: number
  }
}

/**
 * Whatever is not answered within `seconds` is answered with a 503. All requests under way are looked at together, once
 * in `every_seconds`: fastify's own `handlerTimeout` makes a timer and an abort signal for each, a twentieth of the
 * work of a refresh.
 */
export function setDeadlines(app: FastifyInstance, seconds: number, every_seconds = 1): void {
  const due = new Map<FastifyReply, number>()
  app.addHook('onRequest', (request, reply, done) => {
    const limit = request.routeOptions.config.deadline_seconds ?? seconds
    due.set(reply, performance.now() + limit * 1000)
    done()
  })
  app.addHook('onResponse', (_request, reply, done) => {
    due.delete(reply)
    done()
  })
  const timer = setInterval(() => {
    const now = performance.now()
    for (const [reply, at] of due) {
      if (at > now) continue
      // Also whose client has hung up: nobody is told of that otherwise.
      due.delete(reply)
      if (!reply.sent) reply.send(new OAuthError('temporarily_unavailable', 'the server is busy', { retry_after: 1 }))
    }
  }, every_seconds * 1000)
  timer.unref()
  app.addHook('onClose', async () => clearInterval(timer))
}
