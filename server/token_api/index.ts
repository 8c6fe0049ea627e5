import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { Caller, Deps } from '../deps.ts'
import { callerOf } from '../http/caller.ts'
import { allowOrigins, callableFrom } from '../http/cors.ts'
import { forbidStoring } from '../http/security_headers.ts'
import { parseForm } from '../protocol/parameters.ts'
import { offersLoginApi } from '../protocol/profile.ts'
import { blacklist } from './blacklist.ts'
import { obtainToken, refreshToken, verifyToken } from './drf_jwt.ts'
import { sendTokenApiError, TokenApiError } from './errors.ts'
import { obtain } from './obtain.ts'
import { refresh } from './refresh.ts'
import { verify } from './verify.ts'

type Calls = Readonly<Record<string, (deps: Deps, body: unknown, caller: Caller) => Promise<object>>>

const calls: Calls = {
  '/api/token': obtain,
  '/api/token/refresh': refresh,
  '/api/token/verify': verify,
  '/api/token/blacklist': blacklist,
}

/** Those of simplejwt's predecessor, where they are wanted. */
const drfJwtCalls: Calls = {
  '/api-token-auth': obtainToken,
  '/api-token-refresh': refreshToken,
  '/api-token-verify': verifyToken,
}

const OTHER_METHODS = ['GET', 'PUT', 'PATCH', 'DELETE']

/**
 * The login API: djangorestframework-simplejwt's wire contract, so that a client written for it changes its base URL
 * and nothing else. First-party applications only: whoever calls it sees the person's password.
 *
 * @see [djangorestframework-simplejwt](https://django-rest-framework-simplejwt.readthedocs.io/en/latest/getting_started.html#usage)
 */
export function tokenApi(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    const { token_api, profile } = deps.config
    if (!token_api.enabled || !offersLoginApi(profile)) return
    forbidStoring(app)
    allowOrigins(app, callableFrom(deps.config.http.cors_origins))
    parseBodies(app, deps.config.http.token_body_limit_bytes)
    app.setErrorHandler((error, request, reply) => sendTokenApiError(error, request, reply))
    for (const [path, call] of Object.entries({ ...calls, ...(token_api.drf_jwt ? drfJwtCalls : {}) })) {
      // Django's URLs end in a slash, and clients forget it.
      for (const url of [path, `${path}/`]) {
        app.post(url, (request) => call(deps, request.body, callerOf(request)))
        app.route({ method: OTHER_METHODS, url, handler: notAllowed })
      }
    }
  }
}

function notAllowed({ method }: { method: string }, reply: { header(name: string, value: string): unknown }): never {
  reply.header('allow', 'POST, OPTIONS')
  throw new TokenApiError(405, { detail: `Method "${method}" not allowed.` })
}

function parseBodies(app: FastifyInstance, bodyLimit: number): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit },
    async (_request: unknown, body: Buffer) => parseJson(body),
  )
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'buffer', bodyLimit },
    async (_request: unknown, body: Buffer) => parseForm(body),
  )
}

function parseJson(body: Uint8Array): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    throw new TokenApiError(400, {
      detail: `JSON parse error - ${cause instanceof SyntaxError ? plain(cause) : 'invalid UTF-8'}`,
    })
  }
}

/** What the parser says without the piece of the input that it quotes, which may be a password. */
function plain({ message }: SyntaxError): string {
  const position = /position (\d+)/.exec(message)?.[1]
  return position === undefined ? 'the document is not valid' : `unexpected character at position ${position}`
}
