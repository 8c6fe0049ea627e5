/** How clients come to a grant, and how they come to be. */
import { Type } from 'typebox'
import { closed, DAY, whole } from './values.ts'

export const AuthorizationSchema = Type.Object(
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

export const DeviceSchema = Type.Object(
  {
    code_seconds: whole(600, 60, 3600, 'Lifetime of a device code and its user code.'),
    interval_seconds: whole(5, 1, 60, 'How long a device waits between two polls.'),
  },
  { ...closed, description: 'Devices without a browser (RFC 8628).' },
)

export const JwtBearerSchema = Type.Object(
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

export const RegistrationSchema = Type.Object(
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
