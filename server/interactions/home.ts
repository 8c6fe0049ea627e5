import type { FastifyPluginAsync } from 'fastify'
import { homePage } from '../../web/pages/home.ts'
import type { Deps } from '../deps.ts'
import type { PageOptions } from '../http/browser_scope.ts'
import { sendOAuthError } from '../http/error_reply.ts'
import { OAuthError } from '../protocol/errors.ts'
import { issuerPath } from '../protocol/server_metadata.ts'

/**
 * The issuer's own address, which people open to see what it is. For programs there is nothing.
 *
 * @param has_demo whether `/demo` is there
 */
export function home({ config }: Pick<Deps, 'config'>, has_demo: boolean): FastifyPluginAsync<PageOptions> {
  const base = issuerPath(config.issuer)
  const page = homePage({ login_href: `${base}/login`, demo_href: has_demo ? `${base}/demo` : undefined })
  return async (app, { sendPage }) => {
    app.get('/', async (request, reply) => {
      if (/\btext\/html\b/i.test(request.headers.accept ?? '')) return sendPage(reply, page)
      const nothing = new OAuthError('invalid_request', 'there is nothing here', { status: 404 })
      return sendOAuthError(nothing, request, reply)
    })
  }
}
