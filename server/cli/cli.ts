import type { LoadedConfig } from '../../config/load.ts'
import { CliError } from './exit.ts'
import type { Io } from './io.ts'
import type { AdminApi } from './transport.ts'

/** Options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean
  readonly config?: string
  readonly dataDir?: string
  readonly database?: string
  readonly issuer?: string
  readonly url?: string
  readonly tokenFile?: string
  readonly clientId?: string
}

/** One run of the command line. */
export interface Cli {
  readonly io: Io
  readonly options: GlobalOptions
  /** What the process ends with when no error is thrown. */
  exit_code: number
}

/** Writes a command's result: a JSON document with `--json`, and text otherwise. */
export function print({ io, options }: Cli, value: unknown, text: string): void {
  io.stdout.write(`${options.json ? JSON.stringify(value, null, 2) : text}\n`)
}

/** Something to know besides the result; a program that reads JSON is not told. */
export function note({ io, options }: Cli, text: string): void {
  if (!options.json) io.stderr.write(`${text}\n`)
}

/** @param flags settings by path that this command takes besides the common ones */
export async function loadConfiguration(cli: Cli, flags: Record<string, unknown> = {}): Promise<LoadedConfig> {
  const { environment, loadConfig } = await import('../../config/load.ts')
  const { config, dataDir: data_dir, database, issuer } = cli.options
  const { env = environment(), cwd } = cli.io
  return loadConfig({ flags: { config, data_dir, database, issuer, ...flags }, env, cwd })
}

/** Opens the admin API as the options say, uses it, and closes it whatever happens. */
export async function withAdmin<T>(cli: Cli, use: (admin: AdminApi) => Promise<T>): Promise<T> {
  const admin = await openAdminApi(cli)
  try {
    return await use(admin)
  } finally {
    await admin.close()
  }
}

async function openAdminApi(cli: Cli): Promise<AdminApi> {
  if (cli.options.url !== undefined) {
    const { openRemoteAdminApi } = await import('./remote_transport.ts')
    return openRemoteAdminApi(cli, cli.options.url)
  }
  if (cli.options.clientId !== undefined || cli.options.tokenFile !== undefined) {
    throw new CliError('usage', '--client-id and --token-file are for a remote server.', 'Name it with --url ISSUER.')
  }
  const { openLocalAdminApi } = await import('./local_transport.ts')
  return openLocalAdminApi(cli)
}
