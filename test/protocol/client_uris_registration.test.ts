import t from 'tap'
import { type ClientRegistration, registeredMetadata } from '../../server/protocol/client_registration.ts'
import { isOfSector, uriProblems } from '../../server/protocol/client_uris_registration.ts'

const CALLBACK = 'https://app.example.com/callback'

function fieldsOf(asked: ClientRegistration): string[] {
  const metadata = registeredMetadata(undefined, { redirect_uris: [CALLBACK], ...asked })
  return uriProblems(metadata, ['keys.internal', 'localhost:9000']).map(({ field }) => field)
}

t.test('RFC 8252 §7: who does not say so is native by its redirect URIs', async (t) => {
  const typeOf = (...redirect_uris: string[]) => registeredMetadata(undefined, { redirect_uris }).application_type
  t.equal(typeOf('http://localhost:33418/'), 'native')
  t.equal(typeOf('http://127.0.0.1/', 'https://vscode.dev/redirect'), 'native')
  t.equal(typeOf('com.example.app:/callback'), 'native')
  t.equal(typeOf(CALLBACK), 'web')
  t.equal(typeOf('http://app.example.com/callback'), 'web')
  const said = registeredMetadata(undefined, { application_type: 'web', redirect_uris: ['http://localhost/'] })
  t.equal(said.application_type, 'web')
})

t.test('redirect URIs follow their rules, after a logout too', async (t) => {
  for (const uri of [
    'http://app.example.com/',
    'javascript:alert(1)',
    `${CALLBACK}#`,
    'data:text/html,x',
    'nonsense',
  ]) {
    t.strictSame(fieldsOf({ redirect_uris: [CALLBACK, uri] }), ['redirect_uris'], uri)
    t.strictSame(fieldsOf({ post_logout_redirect_uris: [uri] }), ['post_logout_redirect_uris'], uri)
  }
  t.strictSame(fieldsOf({ post_logout_redirect_uris: [CALLBACK] }), [])
})

t.test('RFC 7591 §5: what a page shows is https, and runs no script', async (t) => {
  const shown = ['client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'initiate_login_uri'] as const
  for (const field of shown) {
    t.strictSame(fieldsOf({ [field]: 'https://app.example.com/x' }), [], field)
    for (const uri of [
      'http://app.example.com/',
      'javascript:alert(1)',
      'data:image/svg+xml,x',
      'https://a:b@c.example/',
    ]) {
      t.strictSame(fieldsOf({ [field]: uri }), [field], `${field} ${uri}`)
    }
  }
})

t.test('what is fetched is https, but for the hosts that the operator allows', async (t) => {
  for (const field of ['jwks_uri', 'backchannel_logout_uri', 'sector_identifier_uri'] as const) {
    for (const uri of [
      'https://a.example/x',
      'http://keys.internal/x',
      'http://keys.internal:81/',
      'http://localhost:9000/',
    ]) {
      t.strictSame(fieldsOf({ [field]: uri }), [], `${field} ${uri}`)
    }
    for (const uri of ['http://a.example/', 'http://localhost:9001/', 'https://a.example/#x', 'file:///etc/passwd']) {
      t.strictSame(fieldsOf({ [field]: uri }), [field], `${field} ${uri}`)
    }
  }
})

t.test('OpenID Connect Front-Channel Logout §2: the address is of the origin of a redirect URI', async (t) => {
  t.strictSame(fieldsOf({ frontchannel_logout_uri: 'https://app.example.com/logout' }), [])
  for (const uri of [
    'https://app.example.com:8443/',
    'http://app.example.com/',
    'https://b.example/',
    `${CALLBACK}#x`,
  ]) {
    t.strictSame(fieldsOf({ frontchannel_logout_uri: uri }), ['frontchannel_logout_uri'], uri)
  }
  t.strictSame(
    fieldsOf({ redirect_uris: ['com.example.app:/x'], frontchannel_logout_uri: 'com.example.app:/y' }),
    ['frontchannel_logout_uri'],
    'two opaque origins are not one',
  )
})

t.test('OpenID Connect Core §8.1: pairwise subjects have one sector', async (t) => {
  const pairwise = { subject_type: 'pairwise' } as const
  const two = [CALLBACK, 'https://other.example.com/callback']
  t.strictSame(fieldsOf(pairwise), [])
  t.strictSame(fieldsOf({ ...pairwise, redirect_uris: two }), ['subject_type'])
  const device = { ...pairwise, redirect_uris: [], grant_types: ['urn:ietf:params:oauth:grant-type:device_code'] }
  t.strictSame(fieldsOf(device), [], 'whose requests go nowhere is a sector by itself')
  const of_others = { ...device, sector_identifier_uri: 'https://example.com/sector' }
  t.strictSame(fieldsOf(of_others), ['sector_identifier_uri'], 'and of nobody else’s, whose document cannot name it')
  t.strictSame(fieldsOf({ ...pairwise, redirect_uris: two, sector_identifier_uri: 'https://example.com/sector' }), [])
  t.ok(isOfSector([...two, 'https://more.example'], two))
  t.notOk(isOfSector([CALLBACK], two))
  t.notOk(isOfSector({ includes: () => true }, two))
})
