import t from 'tap'
import { PUSH } from '../../server/protocol/shared_signals.ts'
import { basic, claimsOf } from '../helpers/app.ts'
import { testDatabase } from '../helpers/postgres.ts'
import { freePort, startServer, temporaryDirectory } from '../helpers/process.ts'
import { openSeeder } from '../helpers/seed.ts'
import { API, RECEIVER_SECRET, startReceiver } from '../helpers/signals.ts'
import { sampleResource } from '../storage/samples.ts'

const REVOCATIONS = 20
/** What a node had claimed when it died is tried again after the time of a push and half a minute. */
const PATIENCE_MILLISECONDS = 60_000

for (const engine of ['sqlite', 'postgres'] as const) {
  t.test(
    `every acknowledged revocation reaches the receiver, though the node that took it is killed: ${engine}`,
    async (t) => {
      const { received, endpoint_url } = await startReceiver(t, () => ({ status: 202 }))
      const ports = [await freePort(), await freePort()] as const
      const env = {
        GATEHOUSE_DATA_DIR: temporaryDirectory(t),
        GATEHOUSE_ISSUER: `http://localhost:${ports[0]}`,
        GATEHOUSE_SHARED_SIGNALS__ENABLED: 'true',
        GATEHOUSE_OUTBOUND__ALLOW: '127.0.0.1',
        GATEHOUSE_LOG__LEVEL: 'error',
        ...(engine === 'sqlite' ? {} : { GATEHOUSE_DATABASE: await testDatabase(t) }),
      }
      const seeder = await openSeeder(t, env)
      await seeder.client({ client_id: 'receiver', client_secret: RECEIVER_SECRET })
      await seeder.client({ client_id: 'app', grant_types: ['authorization_code', 'refresh_token'] })
      const resource = sampleResource({ resource: API, scopes: null, introspection_clients: ['receiver'] })
      await seeder.deps.store.createResource(resource, [])
      const { account_id } = await seeder.account({ username: 'alice' })
      const grants = await Promise.all(
        Array.from({ length: REVOCATIONS }, () => seeder.grant({ account_id, client_id: 'app', resources: [API] })),
      )
      const [first, second] = await Promise.all(
        ports.map((port) => startServer(t, { ...env, GATEHOUSE_PORT: `${port}` })),
      )
      if (first === undefined || second === undefined) throw new Error('two ports are two nodes')
      const post = async (node: number, path: string, headers: Record<string, string>, body: string) => {
        const response = await fetch(`http://127.0.0.1:${ports[node]}${path}`, { method: 'POST', headers, body })
        if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
      }
      const json = { 'content-type': 'application/json', ...basic('receiver', RECEIVER_SECRET) }
      await post(1, '/ssf/streams', json, JSON.stringify({ delivery: { method: PUSH, endpoint_url } }))
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      const revoke = (node: number, token: string) =>
        post(node, '/revoke', form, new URLSearchParams({ token, client_id: 'app' }).toString())
      for (const { token } of grants.slice(0, REVOCATIONS / 2)) await revoke(0, token())
      await first.kill()
      for (const { token } of grants.slice(REVOCATIONS / 2)) await revoke(1, token())

      const told = () => new Set(received.map(({ token }) => claimsOf(token).jti))
      const until = performance.now() + PATIENCE_MILLISECONDS
      while (told().size < REVOCATIONS && performance.now() < until)
        await new Promise((resolve) => setTimeout(resolve, 50))
      const sessions = new Set(
        received.map(({ token }) => (claimsOf(token).sub_id as { session: { id: string } }).session.id),
      )
      t.strictSame(
        [...sessions].toSorted(),
        grants.map(({ grant }) => grant.session_id).toSorted(),
        'each, and no other',
      )
      t.equal(told().size, REVOCATIONS, 'one event of each, however often it was sent')
    },
  )
}
