import type { Sources } from './load.ts'
import type { Config } from './schema.ts'
import { SETTINGS } from './settings.ts'

export interface DescribedSetting {
  readonly path: string
  /** As configured; a database URL without its password. */
  readonly value: unknown
  readonly source: string
}

/** What is configured and where it came from, fit to be shown: for `config print --sources`. */
export function describeConfig(config: Config, sources: Sources): DescribedSetting[] {
  return [...SETTINGS.keys()].map((path) => ({
    path,
    value: path === 'database' ? maskDatabase(config.database) : valueAt(config, path),
    source: sources.get(path) ?? 'default',
  }))
}

/** A database URL with its secrets masked. @param database as in the configuration */
export function maskDatabase(database: string): string {
  if (database.startsWith('sqlite:')) return database
  const url = URL.parse(database)
  if (url === null) return '***'
  if (url.password !== '') url.password = '***'
  // libpq takes a password as a parameter, too.
  for (const name of [...url.searchParams.keys()]) if (/pass|secret|key/i.test(name)) url.searchParams.set(name, '***')
  return url.href
}

function valueAt(config: Config, path: string): unknown {
  let value: unknown = config
  for (const part of path.split('.')) {
    value = typeof value === 'object' && value !== null ? Reflect.get(value, part) : undefined
  }
  return value
}
