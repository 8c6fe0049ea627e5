import { setTimeout as sleep } from 'node:timers/promises'
import fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { setDeadlines } from '../../server/http/deadline.ts'

const never = () => new Promise<string>(() => undefined)

function impatient(t: Test): FastifyInstance {
  const app = fastify()
  // The deadlines keep no process alive, and here nothing else does.
  const awake = setInterval(() => undefined, 10)
  t.teardown(async () => {
    clearInterval(awake)
    await app.close()
  })
  setDeadlines(app, 0.05, 0.01)
  return app
}

t.test('what is not answered in time is answered with a 503', async (t) => {
  const app = impatient(t)
  app.get('/slow', never)
  app.get('/prompt', async () => 'here')
  const slow = await app.inject('/slow')
  t.equal(slow.statusCode, 503)
  t.match(slow.json(), { message: /busy/ })
  t.equal((await app.inject('/prompt')).body, 'here', 'and what is stays as it is')
})

t.test('an answer that comes too late changes nothing', async (t) => {
  const app = impatient(t)
  const late: (() => void)[] = []
  app.get('/late', () => new Promise((resolve) => late.push(() => resolve('here'))))
  t.equal((await app.inject('/late')).statusCode, 503)
  for (const answer of late) answer()
  await sleep(20)
  t.pass('and nothing is thrown')
})

t.test('a route may have a limit of its own', async (t) => {
  const app = impatient(t)
  app.get('/longer', { config: { deadline_seconds: 5 } }, () => sleep(150, 'here'))
  t.equal((await app.inject('/longer')).body, 'here')
})
