/** Apache as a test runs it: with a configuration, ports and a folder of its own, whatever else the machine serves. */
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestCertificate } from './certificates.ts'
import { startProgram } from './child_process.ts'
import { temporaryDirectory } from './process.ts'

const APACHE = '/usr/sbin/apache2'
const MODULES = [
  ...['mpm_event', 'authn_core', 'authz_core', 'authz_user', 'proxy', 'proxy_http', 'ssl'],
  'auth_openidc',
]

/** Why Apache cannot be run here; false: it can. */
export function noApache(): string | false {
  const missing = [APACHE, ...MODULES.map(fileOf)].find((path) => !existsSync(path))
  return missing === undefined ? false : `there is no ${missing}`
}

/**
 * Starts Apache with virtual hosts on ports of the loopback. It ends with the test.
 *
 * @param hosts the directives of each virtual host, by port
 */
export async function startApache(
  t: { teardown(handler: () => Promise<void>): void },
  hosts: Readonly<Record<string, string>>,
): Promise<void> {
  const folder = temporaryDirectory(t)
  // Started by root it becomes somebody else, who has to get in.
  chmodSync(folder, 0o755)
  const file = join(folder, 'apache.conf')
  writeFileSync(file, configuration(folder, hosts))
  const apache = await startProgram({
    command: APACHE,
    args: ['-f', file, '-DFOREGROUND'],
    cwd: folder,
    ready: /resuming normal operations/,
  })
  t.teardown(() => apache.stop())
}

function configuration(folder: string, hosts: Readonly<Record<string, string>>): string {
  const virtual_hosts = Object.entries(hosts).map(
    ([port, directives]) =>
      `Listen 127.0.0.1:${port}\n<VirtualHost 127.0.0.1:${port}>\n${directives}\n</VirtualHost>\n`,
  )
  return [
    ...MODULES.map((name) => `LoadModule ${name}_module ${fileOf(name)}`),
    `ServerRoot ${folder}`,
    `DocumentRoot ${folder}`,
    `DefaultRuntimeDir ${folder}`,
    `PidFile ${join(folder, 'pid')}`,
    'ServerName localhost',
    // Only root can become another user; for others these are without effect.
    'User www-data',
    'Group www-data',
    // Node's pipes are sockets, which cannot be opened as a file.
    'ErrorLog "|/bin/cat"',
    'StartServers 1',
    ...virtual_hosts,
  ].join('\n')
}

function fileOf(module: string): string {
  return `/usr/lib/apache2/modules/mod_${module}.so`
}

/** TLS in front of a server. */
export function tlsHost({ key_file, certificate_file }: TestCertificate, behind: string): string {
  return `SSLEngine on
    SSLCertificateFile ${certificate_file}
    SSLCertificateKeyFile ${key_file}
    ProxyPass / ${behind}/`
}

/** What mod_auth_openidc is told of the issuer and its client. */
export interface RelyingParty {
  readonly issuer: string
  readonly certificate_file: string
  readonly client_id: string
  readonly client_secret: string
  readonly behind: string
}

/** An application whose `/private` is for those who are signed in. @param directives for this one only */
export function applicationHost({ issuer, ...client }: RelyingParty, origin: string, directives: string): string {
  return `OIDCProviderMetadataURL ${issuer}/.well-known/openid-configuration
    OIDCCABundlePath ${client.certificate_file}
    OIDCClientID ${client.client_id}
    OIDCClientSecret "${client.client_secret}"
    OIDCRedirectURI ${origin}/oidc
    OIDCCryptoPassphrase "of this test only"
    OIDCScope "openid profile email"
    OIDCRemoteUserClaim email
    OIDCAuthNHeader X-Remote-User
    ${directives}
    <LocationMatch "^/(private|oidc)">
      AuthType openid-connect
      Require valid-user
    </LocationMatch>
    ProxyPass /private ${client.behind}`
}

/** An API for those who have a token with the scope `read`. It reads tokens itself, or asks the issuer about them. */
export function apiHost({ issuer, ...client }: RelyingParty, audience: string, reads: 'itself' | 'by asking'): string {
  const how =
    reads === 'itself'
      ? `OIDCOAuthVerifyJwksUri ${issuer}/.well-known/jwks.json`
      : `OIDCOAuthIntrospectionEndpoint ${issuer}/introspect
         OIDCOAuthTokenIntrospectionInterval -1
         OIDCOAuthClientID ${client.client_id}
         OIDCOAuthClientSecret "${client.client_secret}"`
  return `${how}
    OIDCCABundlePath ${client.certificate_file}
    <Location />
      AuthType oauth20
      <RequireAll>
        Require claim aud:${audience}
        Require claim scope:read
      </RequireAll>
    </Location>
    ProxyPass / ${client.behind}/`
}
