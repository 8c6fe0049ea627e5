/** Two server processes of one issuer on one database, and who talks to them. */
import { freePort, startServer, temporaryDirectory } from './process.ts'
import { openSeeder, type Seeder } from './seed.ts'
import { type ServerClient, serverClient } from './server_client.ts'

export interface TwoNodes {
  readonly nodes: readonly [ServerClient, ServerClient]
  /** Where each of them listens. */
  readonly urls: readonly [string, string]
  readonly seeder: Seeder
  readonly issuer: string
  /** What the servers have written, and how they ended if they did. */
  output(): string
}

type Teardown = { teardown(handler: () => Promise<void>): void }

/**
 * @param database a PostgreSQL URL; left out: an SQLite file in the data directory
 * @param settings what differs from the defaults otherwise
 */
export async function startTwoNodes(
  t: Teardown,
  database?: string,
  settings: Readonly<Record<string, string>> = {},
): Promise<TwoNodes> {
  const ports = [await freePort(), await freePort()] as const
  const issuer = `http://localhost:${ports[0]}`
  const env = {
    GATEHOUSE_DATA_DIR: temporaryDirectory(t),
    GATEHOUSE_ISSUER: issuer,
    ...(database === undefined ? {} : { GATEHOUSE_DATABASE: database }),
    // A busy machine is not what is tested: only the database may say 503.
    GATEHOUSE_HTTP__MAX_EVENT_LOOP_DELAY_MILLISECONDS: '0',
    // All callers have one address, and some are clients that were deleted a moment ago.
    GATEHOUSE_THROTTLE__ADDRESS_ATTEMPTS_PER_MINUTE: '100000',
    GATEHOUSE_THROTTLE__CLIENT_FAILURES_PER_MINUTE: '100000',
    GATEHOUSE_LOG__LEVEL: 'error',
    ...settings,
  }
  const seeder = await openSeeder(t, env)
  const operator = await seeder.operator()
  const start = (port: number) => startServer(t, { ...env, GATEHOUSE_PORT: String(port) })
  const servers = await Promise.all(ports.map(start))
  const urls = [`http://127.0.0.1:${ports[0]}`, `http://127.0.0.1:${ports[1]}`] as const
  const [first, second] = urls.map((url) => serverClient(url, issuer, operator))
  if (first === undefined || second === undefined) throw new Error('two ports are two nodes')
  const output = () =>
    servers.map((server) => `${server.child.exitCode ?? server.child.signalCode}\n${server.output()}`).join('\n')
  return { nodes: [first, second], urls, seeder, issuer, output }
}
