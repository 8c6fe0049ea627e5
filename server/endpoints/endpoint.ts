import type { FastifyPluginAsync } from 'fastify'
import type { Config } from '../../config/schema.ts'
import type { Deps } from '../deps.ts'
import type { PageOptions } from '../http/browser_scope.ts'
import type { ServerMetadata } from '../protocol/server_metadata.ts'
import type { ClientRequests } from './client_request.ts'

/** Which rules about bodies, cookies, CORS, caching and errors hold around an endpoint; see `server/http/`. */
export type EndpointScope = 'public' | 'machine' | 'browser' | 'resource' | 'forward' | 'admin'

export interface EndpointDeps extends Deps, ClientRequests {
  /** Whether the process is on its way out and wants no new work. */
  draining(): boolean
}

interface Described {
  readonly name: string
  readonly spec: string
  /** What it adds to discovery, which so says what is really there. */
  metadata(config: Config): Partial<ServerMetadata>
}

/** For programs. */
export interface ProgramEndpoint extends Described {
  readonly scope: Exclude<EndpointScope, 'browser'>
  plugin(deps: EndpointDeps): FastifyPluginAsync
}

/** For people's browsers: it answers with pages. */
export interface BrowserEndpoint extends Described {
  readonly scope: 'browser'
  plugin(deps: EndpointDeps): FastifyPluginAsync<PageOptions>
}

/** One endpoint: a file named as RFC 8414 names it, and a line in the registry. */
export type Endpoint = ProgramEndpoint | BrowserEndpoint
