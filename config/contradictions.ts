import type { Config } from './schema.ts'

/** Two values that are right alone and wrong together. */
export interface Contradiction {
  readonly path: string
  readonly value: number
  readonly limit_path: string
  readonly limit: number
  /** `longer than`, `as long as`: what `path` must not be, compared with `limit_path`. */
  readonly is: string
  readonly because: string
}

/** A value that is nothing without another one, or nothing beside it. */
export interface Lack {
  readonly path: string
  readonly message: string
}

/** What is set by half. */
export function lacksOf({ http, token_api, backup, database, forward_auth, profile }: Config): Lack[] {
  const { tls_certificate_file: certificate, tls_key_file: key, client_certificate_header: header } = http
  const needs = (path: string, other: string) => ({ path, message: `needs ${other} as well` })
  const lacks: Lack[] = []
  if (forward_auth.origins.length > 0 && http.trust_proxy.length === 0) {
    const other = 'http.trust_proxy (whoever else could say where a request was going)'
    lacks.push(needs('forward_auth.origins', other))
  }
  if (forward_auth.origins.length > 0 && profile === 'fapi2') {
    const message = 'has people sign in to a client without credentials, which the profile fapi2 has no place for'
    lacks.push({ path: 'forward_auth.origins', message })
  }
  if (certificate !== null && key === null) lacks.push(needs('http.tls_certificate_file', 'http.tls_key_file'))
  if (certificate === null && key !== null) lacks.push(needs('http.tls_key_file', 'http.tls_certificate_file'))
  if (backup.directory !== null && !/^sqlite:(?!:memory:)/.test(database)) {
    lacks.push({
      path: 'backup.directory',
      message: 'is for a SQLite file: PostgreSQL has its own tools, pg_dump and archiving',
    })
  }
  if (token_api.legacy_secret_file !== null && token_api.legacy_until === null) {
    lacks.push(
      needs('token_api.legacy_secret_file', 'token_api.legacy_until (the secret opens every account until then)'),
    )
  }
  if (header === null) return lacks
  if (http.trust_proxy.length === 0) {
    lacks.push(
      needs(
        'http.client_certificate_header',
        'http.trust_proxy (nobody else is believed, and anybody can send a header)',
      ),
    )
  }
  if (certificate !== null) {
    const message =
      'is for a proxy that speaks TLS, and http.tls_certificate_file makes this server do it: keep one of them'
    lacks.push({ path: 'http.client_certificate_header', message })
  }
  return lacks
}

/** The pairs of values that contradict each other. */
export function contradictionsOf(config: Config): Contradiction[] {
  const { tokens, token_api, sessions, keys, throttle, http } = config
  const longer = (path: string, value: number, limit_path: string, limit: number, because: string) =>
    value > limit ? [{ path, value, limit_path, limit, is: 'more than', because }] : []

  const found: Contradiction[] = [
    ...[
      { section: 'tokens', lifetimes: tokens },
      { section: 'token_api', lifetimes: token_api },
    ].flatMap(({ section, lifetimes: { refresh_idle_seconds, refresh_absolute_seconds } }) => [
      ...longer(
        `${section}.refresh_idle_seconds`,
        refresh_idle_seconds,
        `${section}.refresh_absolute_seconds`,
        refresh_absolute_seconds,
        'refreshing would end before it can be idle for so long',
      ),
      ...longer(
        'tokens.access_token_seconds',
        tokens.access_token_seconds,
        `${section}.refresh_idle_seconds`,
        refresh_idle_seconds,
        'a client would come to refresh when its refresh token is dead',
      ),
    ]),
    ...longer(
      'tokens.reuse_window_seconds',
      tokens.reuse_window_seconds,
      'tokens.access_token_seconds',
      tokens.access_token_seconds,
      'a rotated refresh token would outlive the access token that came with it',
    ),
    ...longer(
      'sessions.idle_seconds',
      sessions.idle_seconds,
      'sessions.absolute_seconds',
      sessions.absolute_seconds,
      'a session would be over before it can be idle for so long',
    ),
    ...longer(
      'sessions.absolute_seconds',
      sessions.absolute_seconds,
      'sessions.remembered_seconds',
      sessions.remembered_seconds,
      'who asks to stay signed in would be signed out sooner',
    ),
    ...longer(
      'throttle.lock_base_seconds',
      throttle.lock_base_seconds,
      'throttle.lock_max_seconds',
      throttle.lock_max_seconds,
      'the first lock would be longer than the longest',
    ),
    ...longer(
      'http.token_body_limit_bytes',
      http.token_body_limit_bytes,
      'http.body_limit_bytes',
      http.body_limit_bytes,
      'the token endpoint would take more than the server does',
    ),
  ]
  if (keys.publish_ahead_seconds >= keys.rotation_seconds) {
    found.push({
      path: 'keys.publish_ahead_seconds',
      value: keys.publish_ahead_seconds,
      limit_path: 'keys.rotation_seconds',
      limit: keys.rotation_seconds,
      is: 'not less than',
      because: 'a key would have to sign before it has been published for so long',
    })
  }
  return found
}
