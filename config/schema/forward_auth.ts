/** Answering for proxies that ask before they let a request through. */
import { Type } from 'typebox'
import { closed, whole } from './values.ts'

export const ForwardAuthSchema = Type.Object(
  {
    enabled: Type.Boolean({
      default: false,
      description: 'Whether `/forward-auth` is there, which tells a proxy whether a request may pass, and whose it is.',
    }),
    origins: Type.Array(Type.String({ format: 'secure_origin' }), {
      default: [],
      description:
        'The origins of the applications behind such proxies whose people sign in with a browser. Nobody is sent back anywhere else, and the cookie that lets them in is for one origin only.',
    }),
    cache_seconds: whole(
      0,
      0,
      60,
      'How long nginx may keep the answer that a request may pass (`X-Accel-Expires`). For so long it does not hear of a revocation. 0: never.',
    ),
  },
  { ...closed, description: 'Answers for proxies: nginx `auth_request`, Traefik, Caddy, Envoy.' },
)
