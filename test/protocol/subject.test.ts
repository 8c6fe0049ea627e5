import { createHash } from 'node:crypto'
import t from 'tap'
import { CLIENT_DEFAULTS, type Client, MADE_BY_ADMIN } from '../../server/protocol/client.ts'
import { sectorOf, subjectFor } from '../../server/protocol/subject.ts'

const digest = (label: string, value: string) => createHash('sha256').update(`${label}\0${value}`).digest('base64url')
const client = (changes: Partial<Client>): Client => ({
  client_id: 'app',
  ...CLIENT_DEFAULTS,
  ...MADE_BY_ADMIN,
  client_secret_digest: null,
  grant_types: ['authorization_code'],
  token_endpoint_auth_method: 'none',
  scope: 'openid',
  resources: [],
  first_party: true,
  refresh_token_profile: 'standard',
  disabled_at: null,
  created_at: 0,
  updated_at: 0,
  ...changes,
})
const pairwise = (client_id: string, changes: Partial<Client> = {}) =>
  client({ client_id, subject_type: 'pairwise', ...changes })

t.test('OpenID Connect Core §8: a public subject is the same for every client', async (t) => {
  t.equal(subjectFor(client({}), 'alice', digest), 'alice')
  t.equal(subjectFor(client({ client_id: 'other' }), 'alice', digest), 'alice')
})

t.test(
  'OpenID Connect Core §8.1: a pairwise subject is the same within a sector, and another outside it',
  async (t) => {
    const here = pairwise('a', { redirect_uris: ['https://one.example/cb'] })
    const beside = pairwise('b', { redirect_uris: ['https://one.example/other'] })
    const elsewhere = pairwise('c', { redirect_uris: ['https://two.example/cb'] })
    const declared = pairwise('d', {
      redirect_uris: ['https://two.example/cb', 'https://three.example/cb'],
      sector_identifier_uri: 'https://one.example/sector.json',
    })
    const subject = subjectFor(here, 'alice', digest)
    t.equal(subjectFor(beside, 'alice', digest), subject)
    t.equal(subjectFor(declared, 'alice', digest), subject, 'sector_identifier_uri names the sector')
    t.not(subjectFor(elsewhere, 'alice', digest), subject)
    t.not(subjectFor(here, 'bob', digest), subject, 'one subject, one account')
    t.notMatch(subject, /alice/)
  },
)

t.test('without a host, a client is a sector of its own', async (t) => {
  t.equal(sectorOf(pairwise('device')), 'device')
  t.equal(sectorOf(pairwise('app', { redirect_uris: ['com.example.app:/cb'] })), 'app')
  t.equal(sectorOf(pairwise('app', { redirect_uris: ['https://one.example:8443/cb'] })), 'one.example')
})
