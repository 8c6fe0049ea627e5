import { OAuthError } from '../protocol/errors.ts'
import { issuerPath } from '../protocol/server_metadata.ts'
import { parseListNumber, STATUS_LIST_TYP, STATUS_LISTS_PATH, statusListUri } from '../protocol/status_list.ts'
import type { Endpoint } from './endpoint.ts'

/**
 * The status lists, and the list of them: anybody may read which bits are set, and learns nothing else of it.
 *
 * @see [Token Status List §8, §9](https://datatracker.ietf.org/doc/draft-ietf-oauth-status-list/)
 */
export const statusList: Endpoint = {
  name: 'status_list_aggregation_endpoint',
  spec: 'Token Status List §9',
  scope: 'public',
  metadata: ({ issuer, status_lists }) =>
    status_lists.enabled ? { status_list_aggregation_endpoint: `${issuer}${STATUS_LISTS_PATH}` } : {},
  plugin: (deps) => async (app) => {
    const { config, statusLists } = deps
    if (!config.status_lists.enabled) return
    const path = `${issuerPath(config.issuer)}${STATUS_LISTS_PATH}`
    const cache_control = `public, max-age=${config.status_lists.ttl_seconds}`

    app.get(path, async (_request, reply) => {
      const numbers = await statusLists.numbers()
      const body = { status_lists: numbers.map((list) => statusListUri(config.issuer, list)) }
      return reply.header('cache-control', cache_control).send(body)
    })

    app.get<{ Params: { list: string } }>(`${path}/:list`, async (request, reply) => {
      const list = parseListNumber(request.params.list)
      const found = list === undefined ? undefined : await statusLists.token(list)
      if (found === undefined) throw new OAuthError('invalid_request', 'there is no such status list', { status: 404 })
      reply.header('cache-control', cache_control).header('etag', found.etag)
      if (request.headers['if-none-match'] === found.etag) return reply.code(304).send()
      return reply.type(`application/${STATUS_LIST_TYP}`).send(found.token)
    })
  },
}
