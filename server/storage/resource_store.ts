import type { ClaimMapping } from '../protocol/claim_mapping.ts'
import type { Resource } from '../protocol/resource.ts'
import type { Driver } from './driver.ts'
import { pageOf, readCursor } from './page.ts'
import type { Audit, Page, PageRequest } from './records.ts'
import * as sql from './statements.ts'
import { happens } from './transition.ts'

interface ResourceRow
  extends Omit<Resource, 'scopes' | 'introspection_clients' | 'authorization_details_types' | 'claims'> {
  readonly scopes: string | null
  readonly introspection_clients: string
  readonly authorization_details_types: string
  readonly claims: string
}

function resourceOf(row: ResourceRow): Resource {
  const scopes: string[] | null = row.scopes === null ? null : JSON.parse(row.scopes)
  const introspection_clients: string[] = JSON.parse(row.introspection_clients)
  const authorization_details_types: string[] = JSON.parse(row.authorization_details_types)
  const claims: ClaimMapping = JSON.parse(row.claims)
  return { ...row, scopes, introspection_clients, authorization_details_types, claims }
}

/** What may change, as columns. */
function valuesOf(resource: Resource): (string | number | null)[] {
  const { scopes, access_token_seconds, signing_alg, introspection_clients } = resource
  return [
    resource.resource,
    scopes === null ? null : JSON.stringify(scopes),
    access_token_seconds,
    signing_alg,
    JSON.stringify(introspection_clients),
    JSON.stringify(resource.authorization_details_types),
    JSON.stringify(resource.claims),
    resource.token_typ,
  ]
}

export interface ResourceStore {
  createResource(resource: Resource, audit: Audit): Promise<'created' | 'exists'>
  findResources(resources: readonly string[]): Promise<Resource[]>
  listResources(page: PageRequest): Promise<Page<Resource>>
  updateResource(resource: Resource, audit: Audit): Promise<'updated' | 'not_found'>
  /** The distinct signing algorithms that resources ask for. */
  algorithmsInUse(): Promise<string[]>
  /** The distinct types of `authorization_details` that resources have, sorted. */
  detailsTypesInUse(): Promise<string[]>
}

export function resourceStore(driver: Driver): ResourceStore {
  return {
    async createResource(resource, audit) {
      const values = [...valuesOf(resource), resource.created_at, resource.updated_at]
      return (await happens(driver, { sql: sql.INSERT_RESOURCE, values }, audit)) ? 'created' : 'exists'
    },

    async findResources(resources) {
      // A request names one or two: one prepared statement for each rather than a text for each number.
      const found = await Promise.all(
        [...new Set(resources)].map((resource) => driver.query<ResourceRow>(sql.SELECT_RESOURCE, [resource])),
      )
      return found.flat().map(resourceOf)
    },

    async listResources(page) {
      const after = readCursor(page.cursor, [''] as const)
      const rows = await driver.query<ResourceRow>(sql.LIST_RESOURCES, [...after, page.limit + 1])
      return pageOf(rows.map(resourceOf), page, (last) => [last.resource])
    },

    async updateResource(resource, audit) {
      const values = [...valuesOf(resource), resource.updated_at]
      return (await happens(driver, { sql: sql.UPDATE_RESOURCE, values }, audit)) ? 'updated' : 'not_found'
    },

    async algorithmsInUse() {
      const rows = await driver.query<{ signing_alg: string }>(sql.SELECT_ALGORITHMS, [])
      return rows.map((row) => row.signing_alg)
    },

    async detailsTypesInUse() {
      type Row = Pick<ResourceRow, 'authorization_details_types'>
      const rows = await driver.query<Row>(sql.SELECT_DETAILS_TYPES, [])
      const types = rows.flatMap((row): string[] => JSON.parse(row.authorization_details_types))
      return [...new Set(types)].toSorted()
    },
  }
}
