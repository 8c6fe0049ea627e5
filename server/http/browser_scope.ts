import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { messages } from '../../web/locales/index.ts'
import { errorPage } from '../../web/pages/error.ts'
import { type Page, renderSheet } from '../../web/pages/layout.ts'
import type { Deps } from '../deps.ts'
import { chooseLocale } from '../protocol/locale.ts'
import { type Form, parseForm } from '../protocol/parameters.ts'
import { issuerPath } from '../protocol/server_metadata.ts'
import { serveAssets } from './assets.ts'
import { contentSecurityPolicy } from './content_security_policy.ts'
import { refuseCrossSite } from './csrf.ts'
import { logRefusal, refusalHeaders } from './error_reply.ts'
import { toOAuthError } from './fault.ts'
import { forbidStoring } from './security_headers.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A form on another site's page may lead here: what it sends is a request to be judged, never a decision. */
    cross_site?: boolean
    /** A client may open it in a window that it keeps hold of (docs/decisions/0014). */
    popup?: boolean
  }
}

/** What the plugins of this scope are given. */
export interface PageOptions {
  readonly sendPage: SendPage
}

/**
 * Sends a page in the language that the person reads.
 *
 * @param status 200 by default
 * @param ui_locales which languages the request that brought them here asked for, best first
 */
export type SendPage = (
  reply: FastifyReply,
  page: Page,
  status?: number,
  ui_locales?: readonly string[],
) => FastifyReply

/** The same for a request that says which languages its person reads (OpenID Connect Core §3.1.2.1 `ui_locales`). */
export function inLocales(sendPage: SendPage, ui_locales: readonly string[]): SendPage {
  return (reply, page, status) => sendPage(reply, page, status, ui_locales)
}

/**
 * Where people are: forms in, pages out, nothing stored, nothing framed, nothing from another site; an error is a page
 * with a plain sentence and a reference.
 */
export function browserScope(
  deps: Pick<Deps, 'config'>,
  routes: readonly FastifyPluginAsync<PageOptions>[],
): FastifyPluginAsync {
  const { issuer, http, pages } = deps.config
  return async (app) => {
    const shell = serveAssets(app, issuerPath(issuer))
    const sendPage: SendPage = (reply, page, status = 200, ui_locales = []) => {
      const accept_language = reply.request.headers['accept-language']
      const words = messages[chooseLocale({ ui_locales, accept_language }, pages.default_locale)]
      const sheet = page(words)
      return reply
        .code(status)
        .type('text/html; charset=utf-8')
        .header('content-language', sheet.language ?? words.locale)
        .header('vary', 'Accept-Language')
        .header('content-security-policy', contentSecurityPolicy(sheet))
        .send(renderSheet(shell, sheet, words))
    }

    await app.register(async (scope) => {
      forbidStoring(scope)
      protectPages(scope, new URL(issuer).origin)
      scope.removeAllContentTypeParsers()
      scope.addContentTypeParser(
        'application/x-www-form-urlencoded',
        { parseAs: 'buffer', bodyLimit: http.token_body_limit_bytes },
        async (_request: unknown, body: Buffer) => parseForm(body),
      )
      scope.setErrorHandler((thrown, request, reply) => {
        const error = toOAuthError(thrown)
        logRefusal(request, error)
        const { status, description } = error
        return sendPage(refusalHeaders(reply, error), errorPage({ status, description, reference: request.id }), status)
      })
      for (const plugin of routes) await scope.register(plugin, { sendPage })
    })
  }
}

function protectPages(pages: FastifyInstance, origin: string): void {
  pages.addHook('onRequest', async (request, reply) => {
    reply.header('content-security-policy', contentSecurityPolicy({}))
    const { popup = false, cross_site = false } = request.routeOptions.config
    if (!popup) reply.header('cross-origin-opener-policy', 'same-origin')
    // Not `no-referrer`, under which browsers send `Origin: null` with our own forms (Fetch §3.2, "append a request
    // `Origin` header"). No other site learns an address of ours from this one either.
    reply.header('referrer-policy', 'same-origin')
    if (!cross_site) refuseCrossSite(request, origin)
  })
}

/** The query of a request, as strict as a form. @throws {OAuthError} `invalid_request` */
export function queryOf(request: FastifyRequest): Form {
  const at = request.url.indexOf('?')
  return parseForm(Buffer.from(at === -1 ? '' : request.url.slice(at + 1)))
}
