import { PassThrough } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { offeredAuthMethods } from '../client_auth/index.ts'
import { allowOnly } from '../http/allow.ts'
import { formOf } from '../http/machine_scope.ts'
import { OAuthError } from '../protocol/errors.ts'
import { readParameters } from '../protocol/parameters.ts'
import { HEARTBEAT, mayListen, parseEventId } from '../protocol/revocation_stream.ts'
import { allResources } from '../tokens/resources.ts'
import { type Listener, listenToRevocations } from '../tokens/revocation_stream.ts'
import type { Endpoint, EndpointDeps } from './endpoint.ts'

const parameters = Type.Object({ last_event_id: Type.Optional(Type.String()) })

const PATH = '/revocations/stream'
const HEARTBEAT_MILLISECONDS = 15_000
/** Of what waits for one slow reader. Beyond it the connection is cut, and the reader resumes. */
const MOST_WAITING_BYTES = 4_194_304
const MOST_OF_ONE_CLIENT = 100

/**
 * Tells resource servers of each revocation as it happens, and goes on where a connection broke.
 *
 * @see [HTML: server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html)
 */
export const revocationStream: Endpoint = {
  name: 'revocation_stream_endpoint',
  spec: 'server-sent events',
  scope: 'machine',
  metadata: (config) =>
    config.status_lists.enabled
      ? {
          revocation_stream_endpoint: `${config.issuer}${PATH}`,
          revocation_stream_endpoint_auth_methods_supported: offeredAuthMethods(config).filter(
            (method) => method !== 'none',
          ),
        }
      : {},
  plugin: (deps) => async (app) => {
    if (!deps.config.status_lists.enabled) return
    const open = new Map<PassThrough, string>()
    const answer = async (request: FastifyRequest, reply: FastifyReply) => {
      const client = await deps.authenticateClient(request)
      await assertMayListen(deps, client.client_id)
      const { last_event_id } = readParameters(parameters, formOf(request))
      const id = last_event_id ?? headerOf(request, 'last-event-id')
      assertRoom(open, client.client_id, deps.config.status_lists.max_streams)
      const stream = new PassThrough()
      open.set(stream, client.client_id)
      const stop = keepTelling(deps, stream, client.client_id, id)
      stream.once('close', () => {
        open.delete(stream)
        stop()
      })
      // RFC 9110 §8.8: nothing of this is to be kept, and no proxy is to wait for the end of it.
      reply.header('x-accel-buffering', 'no').type('text/event-stream')
      return reply.send(stream)
    }
    const options = { config: { deadline_seconds: Number.POSITIVE_INFINITY } }
    allowOnly(app, PATH, 'GET', 'POST')
    app.get(PATH, { ...options, exposeHeadRoute: false }, answer)
    app.post(PATH, options, answer)
    // Whoever listens would keep the server from its end.
    app.addHook('preClose', async () => {
      for (const stream of open.keys()) stream.end()
    })
  },
}

/** @throws {OAuthError} `unauthorized_client` */
async function assertMayListen(deps: EndpointDeps, client_id: string): Promise<void> {
  const client = await deps.store.findClient(client_id)
  if (client !== undefined && client.disabled_at === null && mayListen(client, await allResources(deps))) return
  throw new OAuthError('unauthorized_client', 'only resource servers may listen here', { status: 403 })
}

/** @throws {OAuthError} `temporarily_unavailable` */
function assertRoom(open: ReadonlyMap<unknown, string>, client_id: string, most: number): void {
  const own = [...open.values()].filter((other) => other === client_id).length
  if (open.size < most && own < MOST_OF_ONE_CLIENT) return
  throw new OAuthError('temporarily_unavailable', 'too many streams are open', { retry_after: 5 })
}

/** Writes events and heartbeats until it is stopped, or the client loses its right to them. */
function keepTelling(deps: EndpointDeps, stream: PassThrough, client_id: string, last_event_id: string | undefined) {
  let listener: Listener | undefined
  const write = (text: string) => {
    if (stream.writableEnded || stream.destroyed) return
    if (stream.writableLength + stream.readableLength > MOST_WAITING_BYTES) stream.destroy()
    else stream.write(text)
  }
  const now = deps.clock.now()
  const since = last_event_id === undefined ? undefined : (parseEventId(last_event_id, now) ?? 'unknown')
  listenToRevocations(deps, since, write).then(
    (started) => {
      listener = started
      if (stream.destroyed) listener.stop()
    },
    (err) => {
      deps.log.warn({ err, client_id }, 'a stream of revocations could not be started')
      stream.end()
    },
  )
  const beat = async () => {
    write(HEARTBEAT)
    await assertMayListen(deps, client_id)
  }
  const timer = setInterval(() => {
    // Disabled, deleted, no resource server any more; or the database cannot say: the client comes again, and is told.
    beat().catch(() => stream.end())
  }, HEARTBEAT_MILLISECONDS)
  timer.unref()
  return () => {
    clearInterval(timer)
    listener?.stop()
  }
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return typeof value === 'string' ? value : undefined
}
