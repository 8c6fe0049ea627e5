import type { Config } from '../../config/schema.ts'
import { authorizationCode } from './authorization_code.ts'
import { clientCredentials } from './client_credentials.ts'
import { deviceCode } from './device_code.ts'
import type { GrantType } from './grant_type.ts'
import { jwtBearer } from './jwt_bearer.ts'
import { refreshToken } from './refresh_token.ts'
import { tokenExchange } from './token_exchange.ts'

/** The registry: what `grant_type` may be. Discovery, registration and the token endpoint follow from it. */
export const grantTypes: readonly GrantType[] = [
  authorizationCode,
  refreshToken,
  clientCredentials,
  deviceCode,
  tokenExchange,
  jwtBearer,
]

/** Those that this configuration has a use for. */
export function grantTypesFor(config: Config): readonly GrantType[] {
  return grantTypes.filter(({ offered }) => offered === undefined || offered(config))
}
