import t from 'tap'
import { readCodeChallenge, verifierMatches } from '../../server/protocol/pkce.ts'

// RFC 7636 Appendix B.
const VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'

const publicClient = { token_endpoint_auth_method: 'none', require_pkce: false } as const
const exempt = { token_endpoint_auth_method: 'client_secret_basic', require_pkce: false } as const
const confidential = { ...exempt, require_pkce: true } as const
const read = (
  code_challenge?: string,
  code_challenge_method?: string,
  client: Parameters<typeof readCodeChallenge>[1] = confidential,
  required = false,
) => readCodeChallenge({ code_challenge, code_challenge_method }, client, required)

t.test('RFC 7636 Appendix B: the example', async (t) => {
  t.equal(read(CHALLENGE, 'S256'), CHALLENGE)
  t.ok(verifierMatches(VERIFIER, CHALLENGE))
})

t.test('RFC 9700 §2.1.1: a challenge is required, but of a confidential client that is exempt', async (t) => {
  t.throws(() => read(), { code: 'invalid_request' })
  t.throws(() => read(undefined, undefined, publicClient), { code: 'invalid_request' })
  t.throws(() => read(undefined, undefined, exempt, true), { code: 'invalid_request' })
  t.equal(read(undefined, undefined, exempt), null)
  t.throws(() => read(undefined, 'S256', exempt), { code: 'invalid_request' })
  t.equal(read(CHALLENGE, 'S256', exempt), CHALLENGE)
})

t.test('RFC 7636 §4.4.1: another method than S256 is an invalid_request', async (t) => {
  for (const method of [undefined, 'plain', 's256', 'S512', 'S256 ']) {
    t.throws(() => read(CHALLENGE, method), { code: 'invalid_request' }, String(method))
  }
})

t.test('RFC 7636 §4.2: a challenge is 43 characters of base64url', async (t) => {
  for (const bad of [
    '',
    CHALLENGE.slice(1),
    `${CHALLENGE}=`,
    `${CHALLENGE}A`,
    CHALLENGE.replace('-', '+'),
    `${CHALLENGE}\n`,
  ]) {
    t.throws(() => read(bad, 'S256'), { code: 'invalid_request' }, bad)
  }
})

t.test('RFC 7636 §4.6: the verifier hashes to the challenge, or is refused', async (t) => {
  for (const bad of [
    undefined,
    '',
    `${VERIFIER}a`,
    VERIFIER.toUpperCase(),
    CHALLENGE,
    VERIFIER.slice(1),
    'a'.repeat(129),
  ]) {
    t.notOk(verifierMatches(bad, CHALLENGE), String(bad))
  }
})

t.test('RFC 9700 §4.8.2: a verifier without a challenge is refused', async (t) => {
  t.notOk(verifierMatches(VERIFIER, null))
  t.ok(verifierMatches(undefined, null))
})
