import type { FastifyPluginAsync } from 'fastify'
import type { Deps } from '../deps.ts'
import { setAdminRules } from '../http/admin_scope.ts'
import { protectedResourceMetadataUrl } from '../protocol/protected_resource.ts'
import { builtInResources } from '../tokens/resources.ts'
import { accountExport } from './account_export.ts'
import { accountImport } from './account_import.ts'
import { accounts } from './accounts.ts'
import { apply } from './apply.ts'
import { audit } from './audit.ts'
import { clients } from './clients.ts'
import { compileWhenCalled, serializeWhenCalled } from './compilers.ts'
import { consents } from './consents.ts'
import { grants } from './grants.ts'
import { setGuard } from './guard.ts'
import { initialAccessTokens } from './initial_access_tokens.ts'
import { keys } from './keys.ts'
import { legacyTokens } from './legacy_tokens.ts'
import { logoutDeliveries } from './logout_deliveries.ts'
import { openapi } from './openapi.ts'
import { resources } from './resources.ts'
import { revocations } from './revocations.ts'
import { sessions } from './sessions.ts'
import { setupLinks } from './setup_links.ts'
import { signals } from './signals.ts'
import { tokenPreview } from './token_preview.ts'

const routes = [
  accounts,
  accountImport,
  accountExport,
  clients,
  initialAccessTokens,
  resources,
  tokenPreview,
  keys,
  grants,
  revocations,
  sessions,
  consents,
  logoutDeliveries,
  signals,
  legacyTokens,
  setupLinks,
  audit,
  apply,
]

/** The admin API. Whoever calls it brings an access token for `<issuer>/admin/api`. */
export function adminScope(deps: Deps): FastifyPluginAsync {
  return async (app) => {
    app.setValidatorCompiler(compileWhenCalled)
    app.setSerializerCompiler(serializeWhenCalled)
    setAdminRules(app, protectedResourceMetadataUrl(builtInResources(deps.config).admin_resource))
    await setGuard(app, deps)
    await openapi(app, deps)
    for (const plugin of routes) await app.register(plugin(deps))
  }
}
