import { createHash } from 'node:crypto'
import t from 'tap'
import {
  type AuthorizationCode,
  assertCodeBelongs,
  narrowAuthorizationDetails,
} from '../../server/protocol/authorization_code.ts'

const code_verifier = 'v'.repeat(43)
const code: AuthorizationCode = {
  code_digest: 'digest',
  grant_id: 'grant',
  client_id: 'app',
  account_id: 'alice',
  session_id: 'session',
  redirect_uri: 'https://app.example/cb',
  redirect_uri_sent: true,
  code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
  dpop_jkt: null,
  nonce: null,
  scope: 'openid',
  resources: [],
  claims: null,
  authorization_details: [],
  auth_time: 0,
  amr: ['pwd'],
  acr: null,
  expires_at: 60,
  claimed_at: null,
}
const presented = {
  client_id: 'app',
  redirect_uri: 'https://app.example/cb',
  code_verifier,
  confirmation: undefined,
}
const belongs = (stored: Partial<AuthorizationCode> = {}, shown: Partial<typeof presented> | object = {}) =>
  assertCodeBelongs({ ...code, ...stored }, { ...presented, ...shown })
const refusal = (description: RegExp) => ({ code: 'invalid_grant', description })

t.test('a code is taken from the client that it was issued to, with what the request had', async (t) => {
  t.doesNotThrow(() => belongs())
  t.doesNotThrow(() => belongs({ claimed_at: 1 }), 'a used one too: only then does its second use count')
})

t.test('RFC 6749 §4.1.3: nobody learns whether a code is unknown or of another client', async (t) => {
  const of = (run: () => void) => {
    try {
      run()
    } catch (error) {
      return String(error)
    }
    return undefined
  }
  const unknown = of(() => assertCodeBelongs(undefined, presented))
  t.match(unknown, /^OAuthError: invalid_grant/)
  t.equal(
    of(() => belongs({}, { client_id: 'other' })),
    unknown,
  )
})

t.test('RFC 6749 §4.1.3: redirect_uri is the one of the request, and needed when that named it', async (t) => {
  const wrong = refusal(/redirect_uri/)
  t.throws(() => belongs({}, { redirect_uri: undefined }), wrong)
  t.throws(() => belongs({}, { redirect_uri: 'https://app.example/cb/' }), wrong)
  t.doesNotThrow(() => belongs({ redirect_uri_sent: false }, { redirect_uri: undefined }))
  t.throws(() => belongs({ redirect_uri_sent: false }, { redirect_uri: 'https://evil.example' }), wrong)
})

t.test('RFC 7636 §4.6: a challenge once sent is always enforced', async (t) => {
  t.throws(() => belongs({}, { code_verifier: undefined }), refusal(/code_verifier/))
  t.throws(() => belongs({}, { code_verifier: 'w'.repeat(43) }), refusal(/code_verifier/))
  t.doesNotThrow(() => belongs({ code_challenge: null }, { code_verifier: undefined }))
})

t.test('RFC 9700 §4.8.2: a verifier without a challenge is a downgrade', async (t) => {
  t.throws(() => belongs({ code_challenge: null }), refusal(/code_verifier/))
})

t.test('RFC 9449 §10: a code for the holder of a key is for no other', async (t) => {
  const bound = { dpop_jkt: 'thumbprint' }
  t.doesNotThrow(() => belongs(bound, { confirmation: { jkt: 'thumbprint' } }))
  t.throws(() => belongs(bound), refusal(/DPoP/))
  t.throws(() => belongs(bound, { confirmation: { jkt: 'another' } }), refusal(/DPoP/))
  t.throws(() => belongs(bound, { confirmation: { 'x5t#S256': 'thumbprint' } }), refusal(/DPoP/))
})

t.test('RFC 9396 §6: authorization_details are narrowed to some of those granted', async (t) => {
  const granted = [
    { type: 'payment', amount: '1', actions: ['initiate'] },
    { type: 'account', actions: ['read'] },
  ]
  t.strictSame(narrowAuthorizationDetails(granted, undefined), granted)
  const [payment] = granted
  const reordered = JSON.stringify([{ actions: ['initiate'], amount: '1', type: 'payment' }])
  t.strictSame(narrowAuthorizationDetails(granted, reordered), [payment])
  for (const asked of ['[{"type":"payment"}]', '[{"type":"other"}]', '{}', 'null', 'x', '[null]']) {
    t.throws(() => narrowAuthorizationDetails(granted, asked), { code: 'invalid_authorization_details' }, asked)
  }
  const deep = `${'['.repeat(4000)}${']'.repeat(4000)}`
  t.throws(() => narrowAuthorizationDetails(granted, deep), { code: 'invalid_authorization_details' }, 'deep')
})
