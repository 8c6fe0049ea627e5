import { type Static, Type } from 'typebox'

const DAY = 86_400

/** A whole number within bounds, both included. */
const whole = (fallback: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: fallback, minimum, maximum, description })

/** A text whose default hangs on another value: `derived` says how, `load.ts` does it. */
const derived = (rule: string, description: string) => Type.String({ minLength: 1, derived: rule, description })

const closed = { additionalProperties: false }

/** How much is written to the log, and how. */
const LogSchema = Type.Object(
  {
    level: Type.Union(
      [Type.Literal('fatal'), Type.Literal('error'), Type.Literal('warn'), Type.Literal('info'), Type.Literal('debug')],
      { default: 'info', description: 'The least important lines that are still written.' },
    ),
    format: Type.Union([Type.Literal('auto'), Type.Literal('json'), Type.Literal('pretty')], {
      default: 'auto',
      description: 'One JSON object a line, or lines for people. `auto`: for people on a terminal, JSON elsewhere.',
    }),
  },
  { ...closed, description: 'Structured logs, on standard output. They never hold a secret.' },
)

const HttpSchema = Type.Object(
  {
    trust_proxy: Type.Array(Type.String({ format: 'cidr' }), {
      default: [],
      description:
        'The proxies whose `X-Forwarded-For` is believed: addresses or CIDR ranges, never `true` or a number.',
    }),
    cors_origins: Type.Array(Type.String({ format: 'origin' }), {
      default: [],
      description:
        'The origins whose scripts may call the login API, introspection and UserInfo. What is public, and the endpoints of public clients, answer every origin.',
    }),
    body_limit_bytes: whole(65_536, 1024, 1_048_576, 'The largest request body.'),
    token_body_limit_bytes: whole(8192, 1024, 65_536, 'The largest body at the token endpoint and its neighbours.'),
    request_timeout_seconds: whole(10, 1, 300, 'How long a client may take to send its request.'),
    connection_timeout_seconds: whole(30, 1, 600, 'How long a connection may be silent within a request.'),
    handler_timeout_seconds: whole(10, 1, 300, 'How long an answer may take to be made, before it is a 503.'),
    keep_alive_timeout_seconds: whole(
      72,
      1,
      600,
      'How long an idle connection is kept. Longer than that of the proxy in front.',
    ),
    tls_certificate_file: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
      default: null,
      description: 'A certificate chain in PEM: with it the server speaks TLS itself. `null`: a proxy in front does.',
    }),
    tls_key_file: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
      default: null,
      description: "The private key of that certificate, in PEM, readable by the server's user only.",
    }),
    client_ca_file: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
      default: null,
      description: 'The authorities whose client certificates `tls_client_auth` believes, in PEM. `null`: none.',
    }),
    client_certificate_header: Type.Union([Type.String({ pattern: '^[a-z0-9-]{1,64}$' }), Type.Null()], {
      default: null,
      description:
        "The header in which a proxy of `http.trust_proxy` hands the client's certificate on: PEM, percent-encoded, or RFC 9440. The proxy has to drop it from other requests.",
    }),
    max_event_loop_delay_milliseconds: whole(
      1000,
      0,
      60_000,
      'Load shedding: above this delay new requests get a 503 with `Retry-After`. 0: never.',
    ),
  },
  { ...closed, description: 'The HTTP server: who is believed, and a limit on everything that a client can take.' },
)

const TokensSchema = Type.Object(
  {
    default_resource: Type.Union([Type.String({ format: 'resource' }), Type.Null()], {
      default: null,
      description: 'The `aud` of an access token when a request names no resource. `null`: the issuer.',
    }),
    access_token_seconds: whole(300, 10, DAY, 'Lifetime of an access token, unless its resource says otherwise.'),
    refresh_idle_seconds: whole(30 * DAY, 60, 3650 * DAY, 'A refresh token not used for so long is dead.'),
    refresh_absolute_seconds: whole(
      90 * DAY,
      60,
      3650 * DAY,
      'So long after the sign-in, refreshing ends in any case.',
    ),
    reuse_window_seconds: whole(
      30,
      0,
      60,
      'For so long a refresh token just rotated gets the same successor again (profile `standard`).',
    ),
    resilient_window_seconds: whole(3600, 0, 3600, 'The same for clients of the profile `resilient`.'),
  },
  { ...closed, description: 'Lifetimes of tokens. Clients and resources may have their own.' },
)

const AuthorizationSchema = Type.Object(
  {
    code_seconds: whole(60, 10, 600, 'Lifetime of an authorization code.'),
    // FAPI 2.0 Security Profile §5.3.2.2: less than 600.
    pushed_request_seconds: whole(60, 10, 599, 'Lifetime of a pushed authorization request.'),
    interaction_seconds: whole(3600, 60, DAY, 'How long a person may take to sign in and to decide.'),
    default_scope: Type.String({
      default: 'openid',
      maxLength: 1024,
      description:
        'What a request without a scope asks for, as far as the client may have it: scope-tokens with spaces between.',
    }),
    acr_values: Type.Array(Type.String({ minLength: 1 }), {
      default: ['urn:gatehouse:pwd'],
      description: 'The authentication contexts that can be asked for, weakest first. The first one is a password.',
    }),
  },
  { ...closed, description: 'The authorization endpoint.' },
)

const SessionsSchema = Type.Object(
  {
    idle_seconds: whole(8 * 3600, 60, 365 * DAY, 'A session not used for so long is over.'),
    absolute_seconds: whole(DAY, 60, 365 * DAY, 'So long after the sign-in, a session is over in any case.'),
    remembered_seconds: whole(30 * DAY, 60, 365 * DAY, 'The same for who asked to stay signed in.'),
  },
  { ...closed, description: 'Signed-in browsers.' },
)

const DeviceSchema = Type.Object(
  {
    code_seconds: whole(600, 60, 3600, 'Lifetime of a device code and its user code.'),
    interval_seconds: whole(5, 1, 60, 'How long a device waits between two polls.'),
  },
  { ...closed, description: 'Devices without a browser (RFC 8628).' },
)

const DpopSchema = Type.Object(
  {
    nonce: Type.Boolean({
      default: false,
      description: 'Whether every DPoP proof needs a nonce that this server gave (RFC 9449 §8).',
    }),
    proof_seconds: whole(60, 5, 600, 'How old a proof may be, and how far ahead its clock.'),
  },
  { ...closed, description: 'Tokens bound to a key of the client (RFC 9449).' },
)

const RegistrationSchema = Type.Object(
  {
    mode: Type.Union([Type.Literal('off'), Type.Literal('initial_access_token'), Type.Literal('open')], {
      default: 'off',
      description: 'Who may register clients (RFC 7591): nobody, the holders of an initial access token, anybody.',
    }),
    metadata_documents: Type.Boolean({
      default: false,
      description: 'Whether an https URL is a client_id, and the document there its registration.',
    }),
    scope: Type.String({
      default: 'openid profile email offline_access',
      maxLength: 1024,
      description: 'The most that a client of its own making may be granted.',
    }),
    resources: Type.Array(Type.String({ minLength: 1 }), {
      default: ['*'],
      description: 'The resources that a client of its own making may name; `*`: every registered one.',
    }),
    require_pkce: Type.Boolean({
      default: true,
      description:
        'Whether a client of its own making that authenticates and does not say so itself has to send PKCE. `false` is for OpenID Connect clients that know the nonce only.',
    }),
    max_per_hour: whole(100, 1, 100_000, 'Registrations an hour, over all addresses, while registration is open.'),
    max_per_address_per_hour: whole(20, 1, 100_000, 'The same for one address prefix.'),
    never_used_seconds: whole(DAY, 3600, 365 * DAY, 'A registered client not used within this time is deleted.'),
    idle_seconds: whole(90 * DAY, DAY, 3650 * DAY, 'A registered client not used for so long is deleted.'),
    software_statement_issuers: Type.Array(Type.String({ format: 'https_url' }), {
      default: [],
      description: 'The issuers whose software statements are believed. Their keys are found by discovery.',
    }),
  },
  { ...closed, description: 'Clients that register themselves.' },
)

const JwtBearerSchema = Type.Object(
  {
    issuers: Type.Array(Type.String({ format: 'https_url' }), {
      default: [],
      description: 'The issuers whose assertions are exchanged for tokens. Their keys are found by discovery.',
    }),
    subject: Type.Union([Type.Literal('account_id'), Type.Literal('username'), Type.Literal('email')], {
      default: 'username',
      description: 'What the `sub` of an assertion names. `email`: only addresses that are verified here.',
    }),
  },
  { ...closed, description: 'Assertions of other issuers as grants (RFC 7523).' },
)

const OutboundSchema = Type.Object(
  {
    allow: Type.Array(Type.String({ minLength: 1 }), {
      default: [],
      description:
        'Hosts (`host` or `host:port`) that may be fetched although they are private or not https. For internal and test hosts.',
    }),
    timeout_seconds: whole(3, 1, 30, 'How long a fetch may take.'),
    max_bytes: whole(65_536, 1024, 1_048_576, 'The largest answer that is read.'),
  },
  {
    ...closed,
    description: "What the server fetches: clients' keys and documents, logout calls. https to public addresses only.",
  },
)

const TokenApiSchema = Type.Object(
  {
    enabled: Type.Boolean({
      default: true,
      description: 'Whether `/api/token/…` is there. Never with `profile: fapi2`.',
    }),
    client_id: Type.String({
      default: 'gatehouse-login',
      minLength: 1,
      maxLength: 255,
      pattern: '^[\\x21-\\x7e]+$',
      description: 'The public client that its grants belong to. Made at the first start.',
    }),
    username_field: Type.String({
      default: 'username',
      pattern: '^[a-z][a-z0-9_]{0,63}$',
      description: 'The member of the request that names the account.',
    }),
    refresh_idle_seconds: whole(DAY, 60, 3650 * DAY, 'A refresh token not used for so long is dead.'),
    refresh_absolute_seconds: whole(
      90 * DAY,
      60,
      3650 * DAY,
      'So long after the sign-in, refreshing ends in any case.',
    ),
    refresh_token_profile: Type.Union([Type.Literal('strict'), Type.Literal('standard'), Type.Literal('resilient')], {
      default: 'standard',
      description: 'How a replayed refresh token is met.',
    }),
  },
  { ...closed, description: 'The login API for first-party applications: user name and password in, tokens out.' },
)

const PasswordsSchema = Type.Object(
  {
    min_length: whole(15, 8, 128, 'The shortest password accepted (NIST SP 800-63B-4 §3.1.1: 15 as the only factor).'),
    hash_concurrency: whole(
      0,
      0,
      64,
      'Passwords hashed at the same time. 0: one less than there are cores, at least 1.',
    ),
    hash_queue: whole(
      16,
      0,
      1024,
      'Passwords that may wait for their turn. The next one gets a 503 with `Retry-After`.',
    ),
    memory_kib: whole(19_456, 19_456, 262_144, 'Argon2id: memory.'),
    time_cost: whole(2, 2, 10, 'Argon2id: passes.'),
    parallelism: whole(1, 1, 4, 'Argon2id: lanes.'),
  },
  { ...closed, description: 'Passwords and their hashing.' },
)

const ThrottleSchema = Type.Object(
  {
    account_attempts_per_minute: whole(5, 1, 1000, 'Failed sign-ins per account and address prefix.'),
    address_attempts_per_minute: whole(20, 1, 100_000, 'Failed sign-ins per address prefix, over all accounts.'),
    client_failures_per_minute: whole(
      20,
      1,
      100_000,
      'Failed client authentications per client and address prefix; five times as many over all clients.',
    ),
    lock_base_seconds: whole(60, 1, 3600, 'The first soft lock. Each further one is twice as long.'),
    lock_max_seconds: whole(900, 1, DAY, 'The longest soft lock.'),
    max_consecutive_failures: whole(100, 5, 10_000, 'Failures in a row after which an account needs a reset.'),
  },
  { ...closed, description: 'Limits on guessing. A success gives its attempt back.' },
)

const KeysSchema = Type.Object(
  {
    key_encryption_key_file: derived(
      '<data_dir>/key_encryption_key',
      'The key that seals all other keys. Made at the first start, readable by its owner only. Keep it out of backups of the database.',
    ),
    rotation_seconds: whole(90 * DAY, 3600, 3650 * DAY, 'How long a signing key signs.'),
    publish_ahead_seconds: whole(DAY, 300, 365 * DAY, 'How long a new key is in the JWKS before it signs.'),
    poll_seconds: whole(1, 1, 60, 'How often a node looks for what other nodes changed.'),
  },
  { ...closed, description: 'Signing keys and the key that encrypts them.' },
)

const StorageSchema = Type.Object(
  {
    postgres_pool: whole(10, 1, 200, 'Connections to PostgreSQL, per node.'),
    sweep_interval_seconds: whole(60, 1, DAY, 'How often expired rows are deleted.'),
    sweep_limit: whole(1000, 1, 100_000, 'Rows of each kind that one sweep deletes at most.'),
  },
  { ...closed, description: 'The database.' },
)

/** Everything that can be configured: types, defaults, bounds and descriptions, once. `README.md` is made from it. */
export const ConfigSchema = Type.Object(
  {
    issuer: derived(
      'http://localhost:<port>',
      'The public URL of this server and the `iss` of its tokens. https, or http on loopback; no trailing slash, query or fragment.',
    ),
    host: Type.String({ default: '127.0.0.1', minLength: 1, description: 'The address to listen on.' }),
    port: whole(3000, 0, 65_535, 'The port to listen on. 0: any free one.'),
    profile: Type.Union([Type.Literal('oauth21'), Type.Literal('fapi2')], {
      default: 'oauth21',
      description: '`oauth21`: OAuth 2.1 and OpenID Connect. `fapi2`: the FAPI 2.0 Security Profile for every client.',
    }),
    demo: Type.Union([Type.Literal('auto'), Type.Literal('on'), Type.Literal('off')], {
      default: 'auto',
      description:
        'Whether `/demo` is there, a client that shows each step. `auto`: only while the issuer is on loopback.',
    }),
    database: derived('sqlite:<data_dir>/gatehouse.db', '`sqlite:PATH` or `postgres://user:password@host/name`.'),
    data_dir: Type.String({
      default: './data',
      minLength: 1,
      description: 'Where what is made at the first start lives.',
    }),
    log: LogSchema,
    http: HttpSchema,
    tokens: TokensSchema,
    authorization: AuthorizationSchema,
    sessions: SessionsSchema,
    device: DeviceSchema,
    dpop: DpopSchema,
    registration: RegistrationSchema,
    jwt_bearer: JwtBearerSchema,
    outbound: OutboundSchema,
    token_api: TokenApiSchema,
    passwords: PasswordsSchema,
    throttle: ThrottleSchema,
    keys: KeysSchema,
    storage: StorageSchema,
  },
  closed,
)

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T

/** A configuration that `load.ts` has checked: every value is there, and frozen. */
export type Config = DeepReadonly<Static<typeof ConfigSchema>>
