import t from 'tap'
import {
  type RequestRules,
  readAuthorizationRequest,
  readRedirectTarget,
} from '../../server/protocol/authorization_parameters.ts'
import { CLIENT_DEFAULTS, type Client, MADE_BY_ADMIN } from '../../server/protocol/client.ts'
import { parseForm } from '../../server/protocol/parameters.ts'

const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const client: Client = {
  ...CLIENT_DEFAULTS,
  ...MADE_BY_ADMIN,
  client_id: 'c',
  client_secret_digest: 'x',
  redirect_uris: ['https://rp.example/cb'],
  response_types: ['code'],
  grant_types: ['authorization_code'],
  token_endpoint_auth_method: 'client_secret_basic',
  scope: 'openid profile read',
  resources: [],
  first_party: false,
  refresh_token_profile: 'standard',
  disabled_at: null,
  created_at: 0,
  updated_at: 0,
}
const good = {
  response_type: 'code',
  redirect_uri: 'https://rp.example/cb',
  scope: 'openid',
  state: 's',
  code_challenge: CHALLENGE,
  code_challenge_method: 'S256',
}
type Sent = Record<string, string | readonly string[] | undefined>

function read(sent: Sent = {}, changes: Partial<Client> = {}, rules: Partial<RequestRules> = {}) {
  const pairs = Object.entries({ ...good, ...sent }).flatMap(([name, values]) =>
    values === undefined ? [] : [values].flat().map((value) => [name, String(value)]),
  )
  const form = parseForm(Buffer.from(new URLSearchParams(pairs).toString()))
  const asking = { ...client, ...changes }
  const profile = rules.profile ?? 'oauth21'
  const source = { signed: false, pushed: false }
  const target = readRedirectTarget(form, asking, profile)
  const request = readAuthorizationRequest(form, target, {
    client: asking,
    profile,
    source,
    default_scope: 'openid',
    ...rules,
  })
  return { ...request, target }
}

const refusal = (code: string, description?: string | RegExp) => ({ code, ...(description && { description }) })

t.test('RFC 6749 §4.1.1: a request that is in order', async (t) => {
  t.match(read(), {
    client_id: 'c',
    redirect_uri: 'https://rp.example/cb',
    redirect_uri_sent: true,
    response_mode: 'query',
    state: 's',
    unresolved: { scope: 'openid', resource: [] },
    nonce: null,
    code_challenge: CHALLENGE,
    prompt: [],
    max_age: null,
    claims: null,
    dpop_jkt: null,
  })
})

t.test('RFC 6749 §3.1: what is not known is ignored, also when it recurs', async (t) => {
  t.equal(read({ colour: ['a', 'b'], display: 'popup', claims_locales: 'de' }).state, 's')
})

t.test('RFC 6749 §3.1: what is known and recurs is refused; resource may recur (RFC 8707 §2)', async (t) => {
  for (const name of [
    'response_type',
    'state',
    'scope',
    'nonce',
    'code_challenge',
    'prompt',
    'claims',
    'response_mode',
  ]) {
    t.throws(
      () => read({ [name]: ['code', 'code'] }),
      refusal('invalid_request', `${name} is included more than once`),
      name,
    )
  }
  t.strictSame(read({ resource: ['https://a.example', 'https://b.example'] }).unresolved.resource, [
    'https://a.example',
    'https://b.example',
  ])
})

t.test(
  'there is no target, and so no redirect, for a request whose redirect_uri or response_type is not clear',
  async (t) => {
    t.throws(
      () => read({ redirect_uri: ['https://rp.example/cb', 'https://rp.example/cb'] }),
      refusal('invalid_request', /redirect_uri is included/),
    )
    t.throws(
      () => read({ redirect_uri: 'https://evil.example' }),
      refusal('invalid_request', 'redirect_uri is not registered'),
    )
    t.throws(() => read({ redirect_uri: undefined }), refusal('invalid_request', 'redirect_uri is missing'))
    t.throws(() => read({ response_type: undefined }), refusal('invalid_request', 'response_type is missing'))
  },
)

t.test(
  'OAuth 2.1 §4.1.1: redirect_uri may be left out with one registered; OpenID Connect and FAPI want it',
  async (t) => {
    t.match(read({ redirect_uri: undefined, scope: 'read' }), {
      redirect_uri: 'https://rp.example/cb',
      redirect_uri_sent: false,
    })
    t.throws(() => read({ redirect_uri: undefined, scope: 'openid read' }), refusal('invalid_request', /missing/))
    t.throws(
      () =>
        read(
          { redirect_uri: undefined, scope: 'read' },
          {},
          { profile: 'fapi2', source: { signed: false, pushed: true } },
        ),
      refusal('invalid_request', /missing/),
    )
  },
)

t.test('RFC 6749 §4.1.2.1: unsupported_response_type', async (t) => {
  for (const response_type of ['token', 'id_token', 'code id_token', 'none', 'CODE']) {
    t.throws(() => read({ response_type }), refusal('unsupported_response_type'), response_type)
  }
})

t.test('a response_mode that is not known is refused, in the default one', async (t) => {
  for (const mode of ['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt']) {
    t.equal(read({ response_mode: mode }).response_mode, mode)
  }
  t.throws(() => read({ response_mode: 'web_message' }), refusal('invalid_request', /response_mode/))
})

t.test('RFC 7591 §2: a client asks only for what it is registered for', async (t) => {
  t.throws(() => read({}, { response_types: [] }), refusal('unauthorized_client'))
  t.throws(() => read({}, { grant_types: ['refresh_token'] }), refusal('unauthorized_client'))
})

t.test('RFC 6749 §3.3: of the scope, what the client is registered for; a default where none is sent', async (t) => {
  t.equal(read({ scope: 'openid email read' }).unresolved.scope, 'openid read')
  t.equal(read({ scope: undefined }).unresolved.scope, 'openid')
  t.equal(read({ scope: undefined }, { scope: 'read' }).unresolved.scope, undefined, 'left to the resource')
  t.equal(read({ scope: 'anything' }, { scope: '*' }).unresolved.scope, 'anything')
  t.throws(() => read({ scope: 'gatehouse:write' }, { scope: '*' }), refusal('invalid_scope'))
  t.throws(() => read({ scope: 'write' }), refusal('invalid_scope', /none of these/))
  t.throws(() => read({ scope: 'a\\b' }), refusal('invalid_scope', /malformed/))
})

t.test('OpenID Connect Core §3.1.2.1: prompt', async (t) => {
  t.strictSame(read({ prompt: 'login  consent login' }).prompt, ['login', 'consent'])
  t.strictSame(read({ prompt: 'none' }).prompt, ['none'])
  t.throws(() => read({ prompt: 'none login' }), refusal('invalid_request', /none/))
  for (const prompt of ['create', 'Login', 'login,consent', 'none create']) {
    t.throws(() => read({ prompt }), refusal('invalid_request', /not supported/), prompt)
  }
})

t.test('OpenID Connect Core §3.1.2.1: max_age is a number of seconds', async (t) => {
  t.equal(read({ max_age: '0' }).max_age, 0)
  t.equal(read({ max_age: '3600' }).max_age, 3600)
  for (const max_age of ['-1', '1.5', '1e3', 'x', '99999999999', ' 1']) {
    t.throws(() => read({ max_age }), refusal('invalid_request', /max_age/), max_age)
  }
})

t.test('OpenID Connect Core §3.1.2.1: lists keep their order', async (t) => {
  const { acr_values, ui_locales } = read({ acr_values: 'b a b', ui_locales: 'de-CH de  en' })
  t.strictSame(acr_values, ['b', 'a'])
  t.strictSame(ui_locales, ['de-CH', 'de', 'en'])
})

t.test('OpenID Connect Core §7.2.1: registration is not supported', async (t) => {
  t.throws(() => read({ registration: '{}' }), refusal('registration_not_supported'))
})

t.test('RFC 9449 §10: dpop_jkt is a thumbprint', async (t) => {
  t.equal(read({ dpop_jkt: CHALLENGE }).dpop_jkt, CHALLENGE)
  for (const dpop_jkt of ['x', `${CHALLENGE}=`, `${CHALLENGE}\n`]) {
    t.throws(() => read({ dpop_jkt }), refusal('invalid_request', /dpop_jkt/), dpop_jkt)
  }
})

t.test('RFC 9126 §6: who has to push is refused otherwise', async (t) => {
  const pushed = { source: { signed: false, pushed: true } }
  const own = { require_pushed_authorization_requests: true }
  t.throws(() => read({}, own), refusal('invalid_request', /push/))
  t.equal(read({}, own, pushed).state, 's')
  t.throws(() => read({}, {}, { profile: 'fapi2' }), refusal('invalid_request', /push/))
  t.equal(read({}, {}, { profile: 'fapi2', ...pushed }).state, 's')
})

t.test('RFC 9101 §10.5: who has to sign is refused otherwise, pushed or not', async (t) => {
  const own = { require_signed_request_object: true }
  t.throws(() => read({}, own), refusal('invalid_request', /signed/))
  t.throws(() => read({}, own, { source: { signed: false, pushed: true } }), refusal('invalid_request', /signed/))
  t.equal(read({}, own, { source: { signed: true, pushed: false } }).state, 's')
})

t.test('FAPI 2.0 §5.3.2.2: PKCE is required of every client', async (t) => {
  const exempt = { require_pkce: false }
  const without = { code_challenge: undefined, code_challenge_method: undefined }
  t.equal(read(without, exempt).code_challenge, null)
  const rules = { profile: 'fapi2', source: { signed: false, pushed: true } } as const
  t.throws(() => read(without, exempt, rules), refusal('invalid_request', /code_challenge/))
})
