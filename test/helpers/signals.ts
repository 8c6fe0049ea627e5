/** A server with a receiver of security events, and an endpoint that takes them. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, jwtVerify } from 'jose'
import type { Test } from 'tap'
import { collectSignals, createSignals } from '../../server/tokens/signals.ts'
import { sampleResource } from '../storage/samples.ts'
import { basic, buildTestApp, claimsOf } from './app.ts'

export const RECEIVER_SECRET = 'a client secret of some length'
export const API = 'https://api.example.com'
const OVERLAP = 30

export async function prepareSignals(t: Test, config = {}) {
  // The receivers of these tests are on loopback.
  const server = await buildTestApp(t, {
    config: { shared_signals: { enabled: true }, outbound: { allow: ['127.0.0.1'] }, ...config },
  })
  const { deps, clock } = server
  await deps.store.createResource(
    sampleResource({ resource: API, scopes: null, introspection_clients: ['receiver'] }),
    [],
  )
  const account = await server.createAccount()
  for (const client_id of ['receiver', 'stranger'])
    await server.createClient({ client_id, client_secret: RECEIVER_SECRET })
  const call = async (
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    body?: object,
    by = 'receiver',
  ) => {
    const payload = body === undefined ? {} : { payload: JSON.stringify(body) }
    const headers = {
      ...basic(by, RECEIVER_SECRET),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    }
    const response = await server.inject({ method, url: `/ssf/${path}`, headers, ...payload })
    return {
      status: response.statusCode,
      body: response.body === '' ? undefined : response.json(),
      headers: response.headers,
    }
  }
  const read = async (token: string) => {
    const keys = createLocalJWKSet((await server.inject({ url: '/.well-known/jwks.json' })).json())
    const currentDate = new Date(clock.now() * 1000)
    const rules = { issuer: server.issuer, audience: 'receiver', typ: 'secevent+jwt', currentDate }
    return (await jwtVerify(token, keys, rules)).payload as Record<string, never>
  }
  const poll = async (stream_id: string, body: object = {}) => {
    const answer = await call('POST', `poll/${stream_id}`, { returnImmediately: true, ...body })
    const sets = await Promise.all(Object.values<string>(answer.body.sets).map(read))
    return {
      sets,
      more: answer.body.moreAvailable as boolean,
      jtis: Object.keys(answer.body.sets),
      raw: answer.body.sets,
    }
  }
  const signIn = async () => (await server.signIn('alice', { resource: API })).access
  const revoke = (access: string) =>
    deps.store.revokeGrant(String(claimsOf(access).grant_id), { because: 'revoked_by_admin', now: clock.now() }, [])
  const create = async (delivery?: object) => (await call('POST', 'streams', delivery && { delivery })).body
  return {
    server,
    deps,
    clock,
    account,
    call,
    read,
    poll,
    signIn,
    revoke,
    create,
    collect: () => collectSignals(deps, OVERLAP),
    /** One look of one node, and every push that follows from it. */
    work: async () => {
      const node = createSignals(deps)
      await node.run()
      await node.finish()
    },
  }
}

/** An endpoint that takes security events, as far as it is told to. */
export async function startReceiver(t: Test, answer: () => { status: number; body?: string }) {
  const received: { token: string; type: string }[] = []
  const http = createServer((request, response) => {
    let token = ''
    request.setEncoding('utf8').on('data', (text: string) => (token += text))
    request.on('end', () => {
      received.push({ token, type: request.headers['content-type'] ?? '' })
      const { status, body } = answer()
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
  })
  http.listen(0, '127.0.0.1')
  await new Promise((resolve) => http.once('listening', resolve))
  t.teardown(() => http.close())
  return { received, endpoint_url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/events` }
}
