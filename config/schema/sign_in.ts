/** People: how they sign in, and for how long. */
import { Type } from 'typebox'
import { closed, DAY, whole } from './values.ts'

export const SessionsSchema = Type.Object(
  {
    idle_seconds: whole(8 * 3600, 60, 365 * DAY, 'A session not used for so long is over.'),
    absolute_seconds: whole(DAY, 60, 365 * DAY, 'So long after the sign-in, a session is over in any case.'),
    remembered_seconds: whole(30 * DAY, 60, 365 * DAY, 'The same for who asked to stay signed in.'),
  },
  { ...closed, description: 'Signed-in browsers.' },
)

export const TokenApiSchema = Type.Object(
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
    drf_jwt: Type.Boolean({
      default: false,
      description:
        "Whether djangorestframework-jwt's three calls are there, too: `/api-token-auth/`, `/api-token-refresh/`, `/api-token-verify/`. Whoever has an access token of theirs that lives can renew it.",
    }),
    legacy_secret_file: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
      default: null,
      description:
        'A file with the signing key of the simplejwt site that moves in (its `SECRET_KEY`): its live refresh tokens are exchanged once each. Who has it can be any of its accounts.',
    }),
    legacy_until: Type.Union([Type.String({ format: 'instant' }), Type.Null()], {
      default: null,
      description: 'When that ends, as `2026-12-31T00:00:00Z`.',
    }),
    legacy_algorithm: Type.Union([Type.Literal('HS256'), Type.Literal('HS384'), Type.Literal('HS512')], {
      default: 'HS256',
      description: 'What the site signs with.',
    }),
    legacy_user_id_claim: Type.String({
      default: 'user_id',
      pattern: '^[A-Za-z_][A-Za-z0-9_-]{0,63}$',
      description: 'The claim that holds the `legacy_user_id` of the account.',
    }),
    legacy_issuer: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
      default: null,
      description: 'The `iss` of its tokens, where the site sets one.',
    }),
    legacy_audience: Type.Union([Type.String({ minLength: 1 }), Type.Null()], {
      default: null,
      description: 'The `aud` of its tokens, where the site sets one.',
    }),
  },
  { ...closed, description: 'The login API for first-party applications: user name and password in, tokens out.' },
)

export const PasswordsSchema = Type.Object(
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

export const ThrottleSchema = Type.Object(
  {
    account_attempts_per_minute: whole(5, 1, 1000, 'Failed sign-ins per account and address prefix.'),
    address_attempts_per_minute: whole(20, 1, 100_000, 'Failed sign-ins per address prefix, over all accounts.'),
    client_failures_per_minute: whole(
      20,
      1,
      100_000,
      'Failed client authentications per client and address prefix; five times as many over all clients.',
    ),
    strangers_per_minute: whole(
      1000,
      10,
      1_000_000,
      'What is kept for strangers per address prefix: sign-ins that were begun (who signs in gives theirs back), pushed requests and device codes of clients that are public or registered themselves.',
    ),
    lock_base_seconds: whole(60, 1, 3600, 'The first soft lock. Each further one is twice as long.'),
    lock_max_seconds: whole(900, 1, DAY, 'The longest soft lock.'),
    max_consecutive_failures: whole(100, 5, 10_000, 'Failures in a row after which an account needs a reset.'),
  },
  { ...closed, description: 'Limits on guessing. A success gives its attempt back.' },
)
