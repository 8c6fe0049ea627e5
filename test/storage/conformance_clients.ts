import type { Test } from 'tap'
import { nextVersion } from '../../server/protocol/client.ts'
import {
  countAudit,
  fresh,
  NOW,
  type Opened,
  sampleAudit,
  sampleClient,
  sampleGrant,
  sampleResource,
} from './samples.ts'

export async function clientConformance(t: Test, { store }: Opened): Promise<void> {
  t.test('a client comes back whole, and its id is taken', async (t) => {
    const client = sampleClient({ reuse_window_seconds: 60 })
    t.equal(await store.createClient(client, [sampleAudit('test.client')]), 'created')
    t.same(await store.findClient(client.client_id), client)
    t.equal(await store.createClient(client, [sampleAudit('test.client')]), 'exists')
    t.equal(await countAudit(store, 'test.client'), 1)
    t.equal(await store.findClient(fresh('none')), undefined)
  })

  t.test('an update replaces the metadata and keeps the secret unless it is given', async (t) => {
    const client = sampleClient()
    await store.createClient(client, [])
    const { client_name: _name, ...unnamed } = client
    const changed = { ...unnamed, scope: 'read', updated_at: NOW + 1 }
    t.equal(await store.updateClient({ ...changed, client_secret_digest: null }, []), 'updated')
    t.same(await store.findClient(client.client_id), changed)
    t.equal(await store.updateClient({ ...changed, client_secret_digest: 'another' }, []), 'updated')
    t.match(await store.findClient(client.client_id), { client_secret_digest: 'another' })
    t.equal(await store.updateClient(sampleClient(), []), 'not_found')
  })

  t.test('an update of what was read changes nothing once there is another version: of two, one', async (t) => {
    const client = sampleClient()
    await store.createClient(client, [])
    const changed = { ...client, updated_at: nextVersion(client, client.updated_at) }
    const outcomes = await Promise.all(
      ['one', 'two', 'three'].map((client_name) => store.updateClient({ ...changed, client_name }, [], client)),
    )
    t.same(outcomes.toSorted(), ['stale', 'stale', 'updated'])
    await store.disableClient(client.client_id, client.updated_at, [])
    await store.enableClient(client.client_id, client.updated_at, [])
    t.equal(await store.updateClient(changed, [], client), 'stale', 'a version does not come back')
    t.equal(await store.updateClient({ ...changed, updated_at: NOW + 9 }, [], changed), 'updated')
    t.equal(await store.updateClient(sampleClient(), [], client), 'not_found')
  })

  t.test('RFC 6749 §2.1: a client whose method has no secret has none left', async (t) => {
    for (const token_endpoint_auth_method of ['none', 'private_key_jwt'] as const) {
      const client = sampleClient()
      await store.createClient(client, [])
      await store.updateClient({ ...client, token_endpoint_auth_method }, [])
      t.match(await store.findClient(client.client_id), { client_secret_digest: null })
    }
  })

  t.test('a client is disabled and enabled once, and no update of what was read before undoes it', async (t) => {
    const client = sampleClient()
    const { client_id } = client
    await store.createClient(client, [])
    t.equal(await store.disableClient(client_id, NOW + 1, [sampleAudit('test.disabled')]), 'disabled')
    t.equal(await store.disableClient(client_id, NOW + 2, [sampleAudit('test.disabled')]), 'unchanged')
    t.equal(await countAudit(store, 'test.disabled'), 1)
    t.equal(await store.updateClient({ ...client, client_name: 'Read before' }, []), 'updated')
    t.match(await store.findClient(client_id), { client_name: 'Read before', disabled_at: NOW + 1 })
    t.equal(await store.enableClient(client_id, NOW + 3, []), 'enabled')
    t.equal(await store.enableClient(client_id, NOW + 4, []), 'unchanged')
    t.equal(await store.updateClient({ ...client, disabled_at: NOW + 1 }, []), 'updated')
    t.match(await store.findClient(client_id), { disabled_at: null }, 'nor takes an enabling back')
    t.equal(await store.disableClient(fresh('none'), NOW, []), 'not_found')
    t.equal(await store.enableClient(fresh('none'), NOW, []), 'not_found')
  })

  t.test('deleting a client revokes its grants, which outlive it', async (t) => {
    const client = sampleClient()
    const { client_id } = client
    const grant = sampleGrant({ client_id })
    await store.createClient(client, [])
    await store.createGrant(grant, [], [])
    t.match(await store.findGrant(grant.grant_id), { client })
    t.equal(await store.deleteClient(client_id, NOW + 1, []), 'deleted')
    t.equal(await store.deleteClient(client_id, NOW + 2, []), 'not_found')
    const after = await store.findGrant(grant.grant_id)
    t.match(after, { grant: { revoked_at: NOW + 1, revoked_because: 'client_deleted' } })
    t.equal(after?.client, undefined)
  })

  t.test('clients are listed page by page', async (t) => {
    for (let made = 0; made < 3; made += 1) await store.createClient(sampleClient(), [])
    const first = await store.listClients({}, { limit: 2, cursor: null })
    const rest = await store.listClients({}, { limit: 100, cursor: first.next_cursor })
    const ids = [...first.items, ...rest.items].map((client) => client.client_id)
    t.equal(first.items.length, 2)
    t.equal(rest.next_cursor, null)
    t.equal(new Set(ids).size, ids.length)
    const registered = sampleClient({ origin: 'registered' })
    await store.createClient(registered, [])
    const { items } = await store.listClients({ origin: 'registered' }, { limit: 100, cursor: null })
    t.ok(items.some(({ client_id }) => client_id === registered.client_id))
    t.notOk(
      items.some(({ origin }) => origin !== 'registered'),
      'of one origin only',
    )
  })

  t.test('a resource comes back whole, and is updated', async (t) => {
    const resource = sampleResource()
    const open = sampleResource({ scopes: null, access_token_seconds: null, signing_alg: 'EdDSA' })
    t.equal(await store.createResource(resource, []), 'created')
    t.equal(await store.createResource(resource, []), 'exists')
    t.equal(await store.createResource(open, []), 'created')
    const asked = [open.resource, resource.resource, resource.resource, 'https://none.example']
    t.same(await store.findResources(asked), [open, resource])
    const changed = { ...resource, scopes: ['other'], introspection_clients: [], updated_at: NOW + 1 }
    t.equal(await store.updateResource(changed, []), 'updated')
    t.same(await store.findResources([resource.resource]), [changed])
    t.equal(await store.updateResource(sampleResource(), []), 'not_found')
    t.same(await store.algorithmsInUse(), ['EdDSA', 'RS256'])
    await store.updateResource({ ...changed, authorization_details_types: ['b', 'a'] }, [])
    await store.updateResource({ ...open, authorization_details_types: ['b'] }, [])
    t.same(await store.detailsTypesInUse(), ['a', 'b'])
    const listed = await store.listResources({ limit: 100, cursor: null })
    t.same(listed.items.map((item) => item.resource).toSorted(), [resource.resource, open.resource].toSorted())
  })
}
