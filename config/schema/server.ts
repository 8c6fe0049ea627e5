/** The process itself and what it talks to. */
import { Type } from 'typebox'
import { closed, DAY, whole } from './values.ts'

/** How much is written to the log, and how. */
export const LogSchema = Type.Object(
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

export const HttpSchema = Type.Object(
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

export const PagesSchema = Type.Object(
  {
    default_locale: Type.Union([Type.Literal('en'), Type.Literal('de'), Type.Literal('fr'), Type.Literal('es')], {
      default: 'en',
      description: 'The language for who asks for none that is here, by `ui_locales` or `Accept-Language`.',
    }),
  },
  { ...closed, description: 'The pages that people see.' },
)

export const OutboundSchema = Type.Object(
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

export const BackupSchema = Type.Object(
  {
    directory: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
      default: null,
      description: 'Where copies of the SQLite database go while the server runs. `null`: none are made.',
    }),
    every_seconds: whole(DAY, 60, 30 * DAY, 'How often one is made.'),
    keep: whole(7, 1, 1000, 'How many are kept; older ones are deleted.'),
  },
  { ...closed, description: 'Copies of the database. The key-encryption key is never in them.' },
)

export const StorageSchema = Type.Object(
  {
    postgres_pool: whole(10, 1, 200, 'Connections to PostgreSQL, per node.'),
    sweep_interval_seconds: whole(60, 1, DAY, 'How often expired rows are deleted.'),
    sweep_limit: whole(1000, 1, 100_000, 'Rows of each kind that one sweep deletes at most.'),
  },
  { ...closed, description: 'The database.' },
)
