import { setTimeout as sleep } from 'node:timers/promises'
import fastify from 'fastify'
import t from 'tap'
import { setDeadlines } from '../../server/http/deadline.ts'

const never = () => new Promise<string>(() => undefined)

t.test('what is not answered in time is answered with a 503', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  setDeadlines(app, 0.05)
  app.get('/slow', never)
  app.get('/prompt', async () => 'here')
  const slow = await app.inject('/slow')
  t.equal(slow.statusCode, 503)
  t.equal(slow.json().code, 'FST_ERR_HANDLER_TIMEOUT')
  t.equal((await app.inject('/prompt')).body, 'here', 'and what is stays as it is')
})

t.test('a route may have a limit of its own', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  setDeadlines(app, 0.05)
  app.get('/longer', { handlerTimeout: 5000 }, () => sleep(150, 'here'))
  t.equal((await app.inject('/longer')).body, 'here')
})

t.test('a route that answers from memory has no timer', async (t) => {
  const app = fastify()
  t.teardown(() => app.close())
  setDeadlines(app, 1)
  const limits: (number | undefined)[] = []
  app.addHook('onRoute', ({ handlerTimeout }) => {
    limits.push(handlerTimeout)
  })
  app.get('/waits', { exposeHeadRoute: false }, async () => 'here')
  app.get('/at-hand', { exposeHeadRoute: false, config: { from_memory: true } }, async () => 'here')
  await app.ready()
  t.same(limits, [1000, undefined])
})
