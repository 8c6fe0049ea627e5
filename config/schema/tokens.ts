/** What is issued, and the keys behind it. */
import { Type } from 'typebox'
import { closed, DAY, derived, whole } from './values.ts'

export const TokensSchema = Type.Object(
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
    access_token_budget_bytes: whole(
      4096,
      1024,
      65_536,
      'An access token that is longer is warned of in the log: many proxies take 8 KiB of headers in all.',
    ),
    resilient_window_seconds: whole(3600, 0, 3600, 'The same for clients of the profile `resilient`.'),
  },
  { ...closed, description: 'Lifetimes of tokens. Clients and resources may have their own.' },
)

export const StatusListsSchema = Type.Object(
  {
    enabled: Type.Boolean({
      default: true,
      description: 'Whether access tokens say where their status is published, and revocations are streamed.',
    }),
    ttl_seconds: whole(60, 5, 3600, 'How long a resource server may keep a status list.'),
    poll_milliseconds: whole(500, 100, 10_000, 'How often a node looks for what other nodes have revoked.'),
    max_streams: whole(1000, 1, 100_000, 'Streams of revocations that a node keeps open.'),
  },
  { ...closed, description: 'How resource servers learn that a token has been revoked.' },
)

export const SharedSignalsSchema = Type.Object(
  {
    enabled: Type.Boolean({
      default: false,
      description: 'Whether resource servers may have revocations told to them as security events (OpenID SSF, CAEP).',
    }),
    max_streams_per_client: whole(4, 1, 100, 'Streams that one resource server may have.'),
    max_waiting_events: whole(
      10_000,
      100,
      1_000_000,
      'Events that wait in one stream for a receiver that does not take them. What is beyond it is told later.',
    ),
    poll_wait_seconds: whole(
      20,
      0,
      120,
      'How long a poll waits for an event, unless it asks to be answered at once (RFC 8936).',
    ),
  },
  { ...closed, description: 'Security events for receivers that are elsewhere.' },
)

export const DpopSchema = Type.Object(
  {
    nonce: Type.Boolean({
      default: false,
      description: 'Whether every DPoP proof needs a nonce that this server gave (RFC 9449 §8).',
    }),
    proof_seconds: whole(60, 5, 600, 'How old a proof may be, and how far ahead its clock.'),
  },
  { ...closed, description: 'Tokens bound to a key of the client (RFC 9449).' },
)

export const KeysSchema = Type.Object(
  {
    key_encryption_key_file: derived(
      '<data_dir>/key_encryption_key',
      'The key that seals all other keys. Made at the first start, readable by its owner only. Keep it out of backups of the database.',
    ),
    rotation_seconds: whole(90 * DAY, 3600, 3650 * DAY, 'How long a signing key signs.'),
    publish_ahead_seconds: whole(DAY, 300, 365 * DAY, 'How long a new key is in the JWKS before it signs.'),
    wait_for_fetchers_seconds: whole(
      DAY,
      0,
      30 * DAY,
      'How long a rotation that is due waits for registered resources that have not fetched the next key. 0: not at all.',
    ),
    poll_seconds: whole(1, 1, 60, 'How often a node looks for what other nodes changed.'),
  },
  { ...closed, description: 'Signing keys and the key that encrypts them.' },
)
