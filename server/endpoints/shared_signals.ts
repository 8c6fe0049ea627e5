import type { FastifyRequest } from 'fastify'
import { allowOnly } from '../http/allow.ts'
import { callerOf } from '../http/caller.ts'
import { parseJson } from '../http/json_body.ts'
import { auditRecord } from '../observe/audit.ts'
import { OAuthError } from '../protocol/errors.ts'
import { randomId } from '../protocol/random_id.ts'
import { mayListen } from '../protocol/revocation_stream.ts'
import { issuerPath } from '../protocol/server_metadata.ts'
import {
  objectOf,
  POLL,
  PUSH,
  readStatus,
  readStreamSettings,
  readText,
  SIGNAL_EVENTS,
  type SignalStream,
  VERIFICATION_SECONDS,
  verification,
  verificationOf,
} from '../protocol/shared_signals.ts'
import { allResources } from '../tokens/resources.ts'
import { aboutIt, isFull, signalOf } from '../tokens/signals.ts'
import type { Endpoint, EndpointDeps } from './endpoint.ts'
import { createSignalPolling } from './signal_polling.ts'

const STREAMS = '/ssf/streams'
const STATUS = '/ssf/status'
const VERIFY = '/ssf/verify'
const POLLING = '/ssf/poll'
const WELL_KNOWN = '/.well-known/ssf-configuration'

/** A page that a receiver's streams fit in. */
const ALL_OF_ONE = { limit: 100, cursor: null }

/**
 * Where receivers set up what they are told, and fetch it if they poll. They authenticate as the resource servers that they
 * are: by HTTP Basic, or a certificate.
 *
 * @see [SSF 1.0 §8](https://openid.net/specs/openid-sharedsignals-framework-1_0.html) · [RFC 8936](https://www.rfc-editor.org/rfc/rfc8936)
 */
export const sharedSignals: Endpoint = {
  name: 'ssf_configuration_endpoint',
  spec: 'OpenID SSF 1.0 §8',
  scope: 'machine',
  metadata: () => ({}),
  plugin: (deps) => async (app) => {
    if (!deps.config.shared_signals.enabled) return
    const notJson = () => new OAuthError('invalid_request', 'the body is not valid JSON')
    parseJson(app, deps.config.http.body_limit_bytes, notJson)

    app.post(STREAMS, async (request, reply) => {
      const { client_id } = await receiverOf(deps, request)
      const now = deps.clock.now()
      const stream: SignalStream = {
        stream_id: randomId(deps.random),
        client_id,
        audience: client_id,
        ...readStreamSettings(request.body ?? {}),
        status: 'enabled',
        status_reason: null,
        told_from: now,
        seen_at: now,
        created_at: now,
        updated_at: now,
      }
      const most = deps.config.shared_signals.max_streams_per_client
      const outcome = await deps.store.createSignalStream(stream, most, audit(deps, request, 'created', stream))
      if (outcome === 'too_many') {
        throw new OAuthError('invalid_request', 'there are as many streams as may be', { status: 409 })
      }
      // Deleted since it was authenticated.
      if (outcome === 'no_client') throw new OAuthError('invalid_client', 'client authentication failed')
      return reply.code(201).send(describeStream(deps, stream))
    })

    app.get(STREAMS, async (request, reply) => {
      const { client_id } = await receiverOf(deps, request)
      if (queryOf(request).stream_id !== undefined) {
        return reply.send(describeStream(deps, await ownStream(deps, client_id, queryOf(request).stream_id)))
      }
      const { items } = await deps.store.listSignalStreams({ client_id }, ALL_OF_ONE)
      return reply.send(items.map((stream) => describeStream(deps, stream)))
    })

    for (const method of ['PATCH', 'PUT'] as const) {
      app.route({
        method,
        url: STREAMS,
        handler: async (request, reply) => {
          const { client_id } = await receiverOf(deps, request)
          const stream = await ownStream(deps, client_id, objectOf(request.body).stream_id)
          // §8.1.1.4: PUT replaces, so that what is not said is as in a new stream.
          const settings = readStreamSettings(request.body, method === 'PATCH' ? stream : undefined)
          const now = deps.clock.now()
          const records = audit(deps, request, 'updated', stream)
          if (!(await deps.store.updateSignalStream(stream.stream_id, settings, now, records))) throw noStream()
          return reply.send(describeStream(deps, { ...stream, ...settings }))
        },
      })
    }

    app.delete(STREAMS, async (request, reply) => {
      const { client_id } = await receiverOf(deps, request)
      const stream = await ownStream(deps, client_id, queryOf(request).stream_id)
      await deps.store.deleteSignalStream(stream.stream_id, audit(deps, request, 'deleted', stream))
      return reply.code(204).send()
    })

    app.get(STATUS, async (request, reply) => {
      const { client_id } = await receiverOf(deps, request)
      return reply.send(describeStatus(await ownStream(deps, client_id, queryOf(request).stream_id)))
    })

    app.post(STATUS, async (request, reply) => {
      const { client_id } = await receiverOf(deps, request)
      const stream = await ownStream(deps, client_id, objectOf(request.body).stream_id)
      const { status, reason } = readStatus(request.body)
      const change = { status, reason, now: deps.clock.now() }
      const records = audit(deps, request, 'updated', { ...stream, status })
      if (!(await deps.store.setSignalStreamStatus(stream.stream_id, change, records))) throw noStream()
      return reply.send(describeStatus({ ...stream, status, status_reason: reason }))
    })

    app.post(VERIFY, async (request, reply) => {
      const { client_id } = await receiverOf(deps, request)
      const { stream_id, state } = objectOf(request.body)
      const stream = await ownStream(deps, client_id, stream_id)
      const said = state === undefined ? undefined : readText('state', state)
      const about = aboutIt(deps, stream, verificationOf(deps.clock.now()))
      const full = await isFull(deps, stream.stream_id)
      const signal = signalOf(stream, verification(about, stream.stream_id, said))
      const outcome = full ? 'exists' : await deps.store.appendSignal(signal)
      if (outcome === 'exists') throw tooSoon()
      if (outcome === 'gone') throw new OAuthError('invalid_request', 'the stream is disabled')
      return reply.code(204).send()
    })

    const polling = createSignalPolling(deps)
    // Whoever waits would keep the server from its end.
    app.addHook('preClose', async () => polling.close())
    const { request_timeout_seconds, handler_timeout_seconds } = deps.config.http
    const deadline_seconds =
      request_timeout_seconds + handler_timeout_seconds + deps.config.shared_signals.poll_wait_seconds
    const options = { config: { deadline_seconds } }
    app.post<{ Params: { stream_id: string } }>(`${POLLING}/:stream_id`, options, async (request, reply) => {
      const { client_id } = await receiverOf(deps, request)
      const stream = await ownStream(deps, client_id, request.params.stream_id)
      return reply.send(await polling.answer(stream, request.body ?? {}, reply.raw))
    })

    allowOnly(app, STREAMS, 'GET', 'POST', 'PUT', 'PATCH', 'DELETE')
    allowOnly(app, STATUS, 'GET', 'POST')
    allowOnly(app, VERIFY, 'POST')
    allowOnly(app, `${POLLING}/:stream_id`, 'POST')
  },
}

/** The transmitter's description, which anybody may read (SSF §7.1). */
export const sharedSignalsConfiguration: Endpoint = {
  name: 'ssf_configuration',
  spec: 'OpenID SSF 1.0 §7',
  scope: 'public',
  metadata: () => ({}),
  plugin:
    ({ config }) =>
    async (app) => {
      if (!config.shared_signals.enabled) return
      const { issuer } = config
      const path = issuerPath(issuer)
      const document = {
        spec_version: '1_0',
        issuer,
        jwks_uri: `${issuer}/.well-known/jwks.json`,
        delivery_methods_supported: [PUSH, POLL],
        configuration_endpoint: `${issuer}${STREAMS}`,
        status_endpoint: `${issuer}${STATUS}`,
        verification_endpoint: `${issuer}${VERIFY}`,
        authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:7617' }, { spec_urn: 'urn:ietf:rfc:8705' }],
        default_subjects: 'ALL',
      }
      // §7.2: for an issuer with a path the well-known name comes before it.
      app.get(`${WELL_KNOWN}${path}`, (_request, reply) =>
        reply.header('cache-control', 'public, max-age=300').send(document),
      )
    },
}

/** @throws {OAuthError} `invalid_client`, `unauthorized_client` */
async function receiverOf(deps: EndpointDeps, request: FastifyRequest) {
  const client = await deps.authenticateClient(request)
  if (mayListen(client, await allResources(deps))) return client
  throw new OAuthError('unauthorized_client', 'only resource servers may listen here', { status: 403 })
}

/** @throws {OAuthError} 404 also for that of another receiver */
async function ownStream(deps: EndpointDeps, client_id: string, stream_id: unknown): Promise<SignalStream> {
  const stream = typeof stream_id === 'string' ? await deps.store.findSignalStream(stream_id) : undefined
  if (stream?.client_id === client_id) return stream
  throw noStream()
}

/** SSF §8.1.4.2 */
function tooSoon(): OAuthError {
  const options = { status: 429, retry_after: VERIFICATION_SECONDS }
  return new OAuthError('temporarily_unavailable', 'too many verifications', options)
}

function noStream(): OAuthError {
  return new OAuthError('invalid_request', 'there is no such stream', { status: 404 })
}

function queryOf(request: FastifyRequest): Readonly<Record<string, unknown>> {
  return request.query as Readonly<Record<string, unknown>>
}

function describeStream({ config: { issuer } }: EndpointDeps, stream: SignalStream) {
  const { stream_id, audience, endpoint_url, events_delivered, description } = stream
  return {
    stream_id,
    iss: issuer,
    aud: audience,
    delivery:
      endpoint_url === null
        ? { method: POLL, endpoint_url: `${issuer}${POLLING}/${stream_id}` }
        : { method: PUSH, endpoint_url },
    events_supported: SIGNAL_EVENTS,
    events_requested: events_delivered,
    events_delivered,
    min_verification_interval: VERIFICATION_SECONDS,
    ...(description === null ? {} : { description }),
  }
}

function describeStatus({ stream_id, status, status_reason }: SignalStream) {
  return { stream_id, status, ...(status_reason === null ? {} : { reason: status_reason }) }
}

function audit(
  deps: EndpointDeps,
  request: FastifyRequest,
  what: 'created' | 'updated' | 'deleted',
  stream: SignalStream,
) {
  const { client_id, stream_id, endpoint_url, events_delivered, status } = stream
  const detail = { stream_id, endpoint_url, events_delivered, status }
  return [auditRecord(deps, `signals.stream_${what}`, { client_id, caller: callerOf(request), detail })]
}
