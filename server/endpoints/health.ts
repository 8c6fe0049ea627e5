import type { Endpoint } from './endpoint.ts'

/**
 * `/livez`: the process answers. `/readyz`: it can do its work, so a load balancer may send it some.
 */
export const health: Endpoint = {
  name: 'health',
  spec: 'livez and readyz, as Kubernetes names them',
  scope: 'public',
  metadata: () => ({}),
  plugin: (deps) => async (app) => {
    app.addHook('onRequest', async (_request, reply) => {
      reply.header('cache-control', 'no-store')
    })
    app.get('/livez', async () => ({ status: 'ok' }))
    app.get('/readyz', async (_request, reply) => {
      if (deps.draining()) return reply.code(503).send({ status: 'draining' })
      await deps.store.ping()
      return { status: 'ok' }
    })
  },
}
