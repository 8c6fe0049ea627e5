/** A plugin for fastify 5. A refusal is thrown: fastify's error handler, or your own, answers with its status and headers. */
import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler } from 'fastify'
import type { AccessTokenClaims } from './access_token.ts'
import { protectedResourceMetadataUrl } from './protected_resource_metadata.ts'
import type { Requirements, Verifier } from './verifier.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** @returns a hook for `onRequest`: the route is for tokens that meet the requirements, and finds `request.claims` */
    requireToken(requirements?: Requirements): onRequestAsyncHookHandler
  }
  interface FastifyRequest {
    /** Of the access token; null where none was required. */
    claims: AccessTokenClaims | null
  }
}

export interface ResourceServerOptions {
  readonly verifier: Verifier
  /** RFC 8705: where a proxy ends TLS, the thumbprint that it passes on. Only if callers cannot set that header themselves. */
  readonly certificate_thumbprint?: (request: FastifyRequest) => string | undefined
  /** Members of this API's metadata (RFC 9728). Given, it is served at its well-known address. */
  readonly metadata?: Readonly<Record<string, unknown>>
}

async function plugin(
  app: FastifyInstance,
  { verifier, certificate_thumbprint, metadata }: ResourceServerOptions,
): Promise<void> {
  app.decorateRequest('claims', null)
  app.decorate(
    'requireToken',
    (requirements: Requirements = {}): onRequestAsyncHookHandler =>
      async (request) => {
        const thumbprint = certificate_thumbprint?.(request)
        const shown = thumbprint === undefined ? {} : { certificate_thumbprint: thumbprint }
        request.claims = await verifier.verify(request.raw, { ...requirements, ...shown })
      },
  )
  if (metadata === undefined) return
  const { pathname } = new URL(protectedResourceMetadataUrl(verifier.audience))
  app.get(pathname, async (_request, reply) => {
    // RFC 9728 §3.2: JSON; browsers' clients read it as well.
    reply.header('access-control-allow-origin', '*').header('cache-control', 'public, max-age=300')
    return verifier.metadata(metadata)
  })
}

/** `await app.register(resourceServer, { verifier })`. What it decorates is there for the whole application. */
export const resourceServer = Object.assign(plugin, {
  [Symbol.for('skip-override')]: true,
  [Symbol.for('fastify.display-name')]: 'gatehouse-resource-server',
})
