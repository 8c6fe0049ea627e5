import underPressure from '@fastify/under-pressure'
import fastify, { type FastifyInstance, type FastifyPluginAsync, LogController } from 'fastify'
import { adminScope } from './admin/index.ts'
import { isDemoOn } from './demo/client.ts'
import { demo } from './demo/demo.ts'
import type { Deps } from './deps.ts'
import { createClientRequests } from './endpoints/client_request.ts'
import type { EndpointDeps, EndpointScope } from './endpoints/endpoint.ts'
import { endpoints } from './endpoints/index.ts'
import { browserScope } from './http/browser_scope.ts'
import { setDeadlines } from './http/deadline.ts'
import { sendOAuthError } from './http/error_reply.ts'
import { forwardScope } from './http/forward_scope.ts'
import { machineScope } from './http/machine_scope.ts'
import { publicScope } from './http/public_scope.ts'
import { resourceScope } from './http/resource_scope.ts'
import { securityHeaders, setSecurityHeaders } from './http/security_headers.ts'
import { tlsOptions } from './http/tls.ts'
import { consent } from './interactions/consent.ts'
import { device } from './interactions/device.ts'
import { home } from './interactions/home.ts'
import { login } from './interactions/login.ts'
import { resume } from './interactions/resume.ts'
import { selectAccount } from './interactions/select_account.ts'
import { setup } from './interactions/setup.ts'
import { OAuthError } from './protocol/errors.ts'
import { randomId } from './protocol/random_id.ts'
import { issuerPath } from './protocol/server_metadata.ts'
import { tokenApi } from './token_api/index.ts'
import { proofAlgorithms } from './tokens/confirmation.ts'

/** Pages that no registry names: what people do between one endpoint and the next. */
const steps = [setup, login, selectAccount, consent, resume, device]

const SECOND = 1000
const MAX_REQUESTS_PER_SOCKET = 10_000
const MAX_HEADER_BYTES = 16_384
const MAX_PARAMETER_CHARACTERS = 2048

/**
 * The whole server: seven scopes, each with its own rules, and what is mounted in each. It listens nowhere yet.
 *
 * @param draining whether the process is on its way out
 */
export async function buildApp(deps: Deps, draining: () => boolean = () => false): Promise<FastifyInstance> {
  const app = createFastify(deps)
  const { config } = deps
  const endpointDeps: EndpointDeps = { ...deps, ...createClientRequests(deps), draining }
  const forPrograms = endpoints.filter((endpoint) => endpoint.scope !== 'browser')
  const forBrowsers = endpoints.filter((endpoint) => endpoint.scope === 'browser')
  const routesOf = (scope: EndpointScope) =>
    forPrograms.filter((endpoint) => endpoint.scope === scope).map((endpoint) => endpoint.plugin(endpointDeps))
  const has_demo = isDemoOn(config)
  const shown = has_demo ? [...steps, demo] : steps
  const pages = [
    home(deps, has_demo),
    ...shown.map((step) => step(deps)),
    ...forBrowsers.map((endpoint) => endpoint.plugin(endpointDeps)),
  ]

  // The timer starts with the headers, and the body has its own time to arrive.
  setDeadlines(app, config.http.request_timeout_seconds + config.http.handler_timeout_seconds)
  setSecurityHeaders(app, config.issuer)
  await shedLoad(app, config.http.max_event_loop_delay_milliseconds)
  app.setErrorHandler(sendOAuthError)
  app.setNotFoundHandler((request, reply) =>
    sendOAuthError(new OAuthError('invalid_request', 'there is nothing here', { status: 404 }), request, reply),
  )

  const challenger = { ...deps, dpop_algorithms: proofAlgorithms(config) }

  const below: [FastifyPluginAsync, string][] = [
    [publicScope(routesOf('public')), ''],
    [machineScope(deps, routesOf('machine')), issuerPath(config.issuer)],
    [resourceScope(challenger, routesOf('resource')), issuerPath(config.issuer)],
    [forwardScope(challenger, routesOf('forward')), issuerPath(config.issuer)],
    [tokenApi(deps), issuerPath(config.issuer)],
    [browserScope(deps, pages), issuerPath(config.issuer)],
    [adminScope(deps), `${issuerPath(config.issuer)}/admin/api`],
  ]
  for (const [plugin, prefix] of below) await app.register(plugin, { prefix })
  return app
}

function createFastify({ config: { http, issuer }, log, random }: Deps): FastifyInstance {
  const started = randomId(random).slice(0, 8)
  let requests = 0
  const tls = tlsOptions(http)
  const limits = {
    maxHeaderSize: MAX_HEADER_BYTES,
    // Left at its minute, Node would take the shorter limit for the headers and give the body the minute.
    headersTimeout: http.request_timeout_seconds * SECOND,
    // Otherwise Node looks for what is overdue every 30 seconds.
    connectionsCheckingInterval: SECOND,
  }
  return fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => `${started}-${(requests++).toString(36)}`,
    // One logger for all: what is logged of a request names it.
    childLoggerFactory: (logger) => logger,
    trustProxy: http.trust_proxy.length > 0 ? [...http.trust_proxy] : false,
    bodyLimit: http.body_limit_bytes,
    requestTimeout: http.request_timeout_seconds * SECOND,
    connectionTimeout: http.connection_timeout_seconds * SECOND,
    keepAliveTimeout: http.keep_alive_timeout_seconds * SECOND,
    maxRequestsPerSocket: MAX_REQUESTS_PER_SOCKET,
    ...(tls === undefined ? { http: limits } : { https: { ...limits, ...tls } }),
    // A user name of 150 characters, percent-encoded.
    routerOptions: { maxParamLength: MAX_PARAMETER_CHARACTERS },
    forceCloseConnections: 'idle',
    // An address that cannot be decoded reaches no route and no hook.
    frameworkErrors: (error, request, reply) =>
      void sendOAuthError(error, request, reply.headers(securityHeaders(issuer))),
    exposeHeadRoutes: true,
    // What a client sends is what is judged: nothing is converted to fit.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, allErrors: false } },
  })
}

async function shedLoad(app: FastifyInstance, max_event_loop_delay_milliseconds: number): Promise<void> {
  if (max_event_loop_delay_milliseconds === 0) return
  await app.register(underPressure, { maxEventLoopDelay: max_event_loop_delay_milliseconds, retryAfter: 1 })
}
