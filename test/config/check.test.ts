import t from 'tap'
import { faultOf } from '../../config/check.ts'
import { SETTINGS } from '../../config/settings.ts'

function fault(path: string, value: unknown): string | undefined {
  const setting = SETTINGS.get(path)
  if (setting === undefined) throw new Error(`no setting ${path}`)
  return faultOf(setting, value)
}

t.test('OpenID Connect Discovery §3: an issuer is an https URL without query and fragment', async (t) => {
  for (const issuer of [
    'https://login.example.com',
    'https://example.com:8443/auth',
    'https://xn--bcher-kva.example',
  ]) {
    t.equal(fault('issuer', issuer), undefined, issuer)
  }
  for (const issuer of [
    'https://a.example?x=1',
    'https://a.example?',
    'https://a.example#',
    'ftp://a.example',
    'a.example',
    '',
    7,
  ]) {
    t.ok(fault('issuer', issuer), String(issuer))
  }
  t.ok(fault('issuer', 'https://me:secret@a.example'), 'no user name or password')
})

t.test('an http issuer is for loopback only', async (t) => {
  for (const host of ['localhost:3000', 'auth.localhost', '127.0.0.1:3000', '127.9.9.9', '[::1]:3000']) {
    t.equal(fault('issuer', `http://${host}`), undefined, host)
  }
  for (const host of [
    'login.example.com',
    'localhost.example.com',
    '127.0.0.1.example.com',
    '10.0.0.1',
    '[::2]',
    '0.0.0.0',
  ]) {
    t.match(fault('issuer', `http://${host}`), /https/, host)
  }
})

t.test('an issuer that verifiers would spell otherwise is refused with the right spelling', async (t) => {
  t.match(fault('issuer', 'https://a.example/'), /write https:\/\/a\.example$/)
  t.match(fault('issuer', 'https://a.example/auth/'), /write https:\/\/a\.example\/auth$/)
  t.match(fault('issuer', 'https://A.example'), /: https:\/\/a\.example$/)
  t.match(fault('issuer', 'https://a.example:443'), /: https:\/\/a\.example$/)
  t.match(fault('issuer', 'https://a.example/x/../y'), /: https:\/\/a\.example\/y$/)
})

t.test('trust_proxy is a list of CIDR ranges, never true, a number or everyone', async (t) => {
  t.equal(fault('http.trust_proxy', []), undefined)
  t.equal(fault('http.trust_proxy', ['10.0.0.0/8', '192.0.2.1', 'fd00::/8', '::1']), undefined)
  for (const value of [
    true,
    1,
    '10.0.0.0/8',
    null,
    ['true'],
    [1],
    ['10.0.0.0/33'],
    ['::/129'],
    ['10.0.0.0/'],
    ['10.0.0.0/8/8'],
  ]) {
    t.ok(fault('http.trust_proxy', value), JSON.stringify(value))
  }
  t.match(fault('http.trust_proxy', true), /made up/)
  t.match(fault('http.trust_proxy', ['0.0.0.0/0']), /everyone/)
  t.match(fault('http.trust_proxy', ['::/0']), /everyone/)
})

t.test('a CORS origin is an origin, never a wildcard', async (t) => {
  t.equal(fault('http.cors_origins', ['https://app.example', 'http://localhost:5173']), undefined)
  for (const origin of [
    '*',
    'https://app.example/',
    'https://*.example/x',
    'null',
    'app.example',
    'https://APP.example',
  ]) {
    t.ok(fault('http.cors_origins', [origin]), origin)
  }
})

t.test('the database is SQLite or PostgreSQL, and a refusal does not quote it', async (t) => {
  for (const database of ['sqlite:x.db', 'sqlite::memory:', 'postgres://a:b@c/d', 'postgresql:///d']) {
    t.equal(fault('database', database), undefined, database)
  }
  for (const database of [
    'sqlite:',
    'mysql://root:hunter2@db/x',
    './gatehouse.db',
    'postgres:x',
    'postgres://a:hunter2@b:x/',
  ]) {
    t.match(fault('database', database), /must be sqlite:PATH or postgres/, database)
    t.notMatch(fault('database', database), /hunter2/)
  }
})

t.test('numbers keep their bounds, texts their patterns, choices their names', async (t) => {
  t.equal(fault('port', 65_535), undefined)
  t.match(fault('port', 65_536), /at most 65535/)
  t.match(fault('tokens.reuse_window_seconds', 61), /at most 60/)
  t.match(fault('passwords.memory_kib', 19_455), /at least 19456/)
  t.match(fault('port', 1.5), /whole number/)
  t.match(fault('port', Number.NaN), /whole number/)
  t.match(fault('log.level', 'loud'), /one of fatal, error, warn, info, debug/)
  t.equal(fault('log.level', 'debug'), undefined)
  t.ok(fault('token_api.username_field', 'user name'))
  t.equal(fault('token_api.username_field', 'email'), undefined)
  t.ok(fault('host', 'a\nb'), 'no control characters')
  t.ok(fault('tokens.default_resource', 'https://api.example/#x'), 'RFC 8707 §2: no fragment')
  t.equal(fault('tokens.default_resource', null), undefined)
})

t.test('every default satisfies its own setting', async (t) => {
  for (const setting of SETTINGS.values()) {
    if (setting.derived === undefined) t.equal(faultOf(setting, setting.fallback), undefined, setting.path)
    t.not(setting.description, '', `${setting.path} is described`)
  }
})

t.test('the origins of forward_auth are https, or loopback: a cookie goes there', async (t) => {
  t.equal(fault('forward_auth.origins', ['https://app.example.com', 'http://localhost:8080']), undefined)
  for (const origin of [
    'http://app.example.com',
    'https://app.example.com/',
    'app.example.com',
    'https://a.example/b',
  ]) {
    t.match(fault('forward_auth.origins', [origin]), /origins/, origin)
  }
})
