import { existsSync } from 'node:fs'
import type { Config } from '../../config/schema.ts'
import { mintCliToken } from '../admin/cli_token.ts'
import { buildApp } from '../app.ts'
import { openDeps } from '../main.ts'
import { createLog } from '../observe/log.ts'
import { issuerPath } from '../protocol/server_metadata.ts'
import { type Cli, loadConfiguration, note } from './cli.ts'
import { CliError } from './exit.ts'
import type { AdminApi } from './transport.ts'

/** The admin API of the configured database, in this process: no server needs to run, and none is in the way. */
export async function openLocalAdminApi(cli: Cli): Promise<AdminApi> {
  const { config } = await loadConfiguration(cli)
  const file = sqlitePath(config)
  let opened: ReturnType<typeof open> | undefined
  return {
    issuer: config.issuer,
    async send(method, path, body) {
      if (opened === undefined && file !== undefined && !existsSync(file)) missing(cli, file, path)
      opened ??= open(cli, config)
      const { deps, app } = await opened
      const url = `${issuerPath(config.issuer)}/admin/api/${path}`
      // One for each call: it lives for a minute, and a command may wait for a person.
      const headers = { authorization: `Bearer ${await mintCliToken(deps)}`, host: new URL(config.issuer).host }
      const reply = await app.inject(
        body === undefined ? { method, url, headers } : { method, url, headers, payload: body },
      )
      return { status: reply.statusCode, text: reply.payload }
    },
    async close() {
      const { deps, app } = (await opened) ?? {}
      await app?.close()
      await deps?.store.close()
    },
  }
}

async function open(cli: Cli, config: Config) {
  const deps = await openDeps(config, { log: createLog({ level: 'error', format: 'pretty' }, logTo(cli)) })
  return { deps, app: await buildApp(deps) }
}

/** What sets an installation up, before its server has ever run. */
const SETS_UP: readonly string[] = ['setup-links', 'apply']

/** What sets up makes the database that it goes into. Anything else means an installation that is somewhere else. */
function missing(cli: Cli, file: string, path: string): void {
  if (!SETS_UP.includes(path.replace(/\?.*$/, ''))) {
    const remedy =
      'Run this where the server runs, or name it: --data-dir, --config, --database. `gatehouse serve`, `setup-link` and `apply` make one.'
    throw new CliError('not_found', `There is no installation here: no database at ${file}.`, remedy)
  }
  note(cli, `There is no database yet: making ${file}`)
}

/** What the server would log is for the operator, who is here. */
function logTo({ io, options }: Cli) {
  return { write: (line: string) => (options.json ? undefined : io.stderr.write(line)) }
}

function sqlitePath({ database }: Config): string | undefined {
  if (database === 'sqlite::memory:') {
    throw new CliError(
      'usage',
      'The database is in the memory of the server alone.',
      'Reach it through the server: --url ISSUER.',
    )
  }
  return database.startsWith('sqlite:') ? database.slice('sqlite:'.length) : undefined
}
