import { type Static, Type } from 'typebox'
import { AuthorizationSchema, DeviceSchema, JwtBearerSchema, RegistrationSchema } from './schema/authorization.ts'
import { ForwardAuthSchema } from './schema/forward_auth.ts'
import { BackupSchema, HttpSchema, LogSchema, OutboundSchema, PagesSchema, StorageSchema } from './schema/server.ts'
import { PasswordsSchema, SessionsSchema, ThrottleSchema, TokenApiSchema } from './schema/sign_in.ts'
import { DpopSchema, KeysSchema, SharedSignalsSchema, StatusListsSchema, TokensSchema } from './schema/tokens.ts'
import { closed, derived, whole } from './schema/values.ts'

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
    pages: PagesSchema,
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
    status_lists: StatusListsSchema,
    shared_signals: SharedSignalsSchema,
    authorization: AuthorizationSchema,
    sessions: SessionsSchema,
    device: DeviceSchema,
    dpop: DpopSchema,
    registration: RegistrationSchema,
    jwt_bearer: JwtBearerSchema,
    forward_auth: ForwardAuthSchema,
    outbound: OutboundSchema,
    token_api: TokenApiSchema,
    passwords: PasswordsSchema,
    throttle: ThrottleSchema,
    keys: KeysSchema,
    storage: StorageSchema,
    backup: BackupSchema,
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
