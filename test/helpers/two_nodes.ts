/** Two server processes of one issuer on one database, and who talks to them. */
import { freePort, startServer, temporaryDirectory } from './process.ts'
import { openSeeder, type Seeder } from './seed.ts'
import { type Operator, type ServerClient, serverClient } from './server_client.ts'

export interface TwoNodes {
  readonly nodes: readonly [ServerClient, ServerClient]
  readonly seeder: Seeder
  readonly issuer: string
}

type Teardown = { teardown(handler: () => Promise<void>): void }

/** @param database a PostgreSQL URL; left out: an SQLite file in the data directory */
export async function startTwoNodes(t: Teardown, database?: string): Promise<TwoNodes> {
  const ports = [await freePort(), await freePort()] as const
  const issuer = `http://localhost:${ports[0]}`
  const env = {
    GATEHOUSE_DATA_DIR: temporaryDirectory(t),
    GATEHOUSE_ISSUER: issuer,
    ...(database === undefined ? {} : { GATEHOUSE_DATABASE: database }),
    // A busy machine is not what is tested: only the database may say 503.
    GATEHOUSE_HTTP__MAX_EVENT_LOOP_DELAY_MILLISECONDS: '0',
    GATEHOUSE_LOG__LEVEL: 'error',
  }
  const seeder = await openSeeder(t, env)
  const operator = await seeder.operator()
  const start = (port: number) => startNode(t, { ...env, GATEHOUSE_PORT: String(port) }, issuer, operator)
  return { nodes: await Promise.all([start(ports[0]), start(ports[1])]), seeder, issuer }
}

async function startNode(
  t: Teardown,
  env: Record<string, string> & { GATEHOUSE_PORT: string },
  issuer: string,
  operator: Operator,
): Promise<ServerClient> {
  await startServer(t, env)
  return serverClient(`http://127.0.0.1:${env.GATEHOUSE_PORT}`, issuer, operator)
}
