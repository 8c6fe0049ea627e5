import type { FastifyInstance } from 'fastify'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer is at hand and waits for nothing. */
    readonly from_memory?: boolean
  }
}

/** Whatever waits for something answers within `seconds`, or a 503 does in its place; a route may have its own limit. */
export function setDeadlines(app: FastifyInstance, seconds: number): void {
  app.addHook('onRoute', (route) => {
    // The timer, and the signal that comes with it, would cost half as much as the answer.
    if (route.config?.from_memory === true) return
    route.handlerTimeout ??= seconds * 1000
  })
}
