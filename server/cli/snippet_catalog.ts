/** What `gatehouse snippet` can print. The files are in `snippets/STACK/`, as they are, and run as they are. */

export interface Snippet {
  readonly about: string
  /** Of its folder, in the order of reading. */
  readonly files: readonly string[]
  /** The test that runs what is printed; null: nothing runs it here. */
  readonly run_by: string | null
}

const NODE = 'test/snippets/node.test.ts'
const PROXIES = 'test/snippets/proxies.test.ts'
const APACHE = 'test/snippets/apache.test.ts'

export const SNIPPETS: Readonly<Record<string, Snippet>> = {
  fastify: { about: 'Fastify, with jose', files: ['api.ts'], run_by: NODE },
  express: { about: 'Express, with jose', files: ['api.ts'], run_by: NODE },
  nextjs: { about: 'a Next.js route handler, with jose', files: ['route.ts'], run_by: NODE },
  hono: { about: 'Hono, with jose', files: ['api.ts'], run_by: NODE },
  django: {
    about: 'Django REST framework, with simplejwt',
    files: ['settings.py', 'gatehouse_auth.py', 'views.py'],
    run_by: 'test/snippets/python.test.ts',
  },
  fastapi: { about: 'FastAPI, with PyJWT', files: ['api.py'], run_by: 'test/snippets/python.test.ts' },
  spring: { about: 'Spring Boot 4', files: ['pom.xml', 'Api.java'], run_by: 'test/snippets/spring.test.ts' },
  go: { about: 'net/http, with go-oidc', files: ['go.mod', 'go.sum', 'main.go'], run_by: 'test/snippets/go.test.ts' },
  dotnet: { about: 'ASP.NET Core', files: ['Program.cs'], run_by: null },
  rails: { about: 'Rails, with the gem jwt', files: ['access_token.rb'], run_by: 'test/snippets/ruby.test.ts' },
  laravel: { about: 'Laravel, with firebase/php-jwt', files: ['AccessToken.php'], run_by: null },
  nginx: { about: 'nginx auth_request: asks /forward-auth', files: ['site.conf'], run_by: PROXIES },
  caddy: { about: 'Caddy forward_auth: asks /forward-auth', files: ['Caddyfile'], run_by: PROXIES },
  envoy: { about: 'Envoy: jwt_authn, or ext_authz to /forward-auth', files: ['envoy.yaml'], run_by: null },
  traefik: { about: 'Traefik forwardAuth: asks /forward-auth', files: ['dynamic.yaml'], run_by: null },
  kong: { about: 'Kong Gateway, plugin openid-connect', files: ['kong.yaml'], run_by: null },
  apache: { about: 'Apache, with mod_auth_openidc', files: ['api.conf'], run_by: APACHE },
  hasura: { about: 'Hasura JWT mode', files: ['jwt_secret.json', 'README.txt'], run_by: null },
  postgrest: { about: 'PostgREST', files: ['postgrest.conf', 'check_scope.sql'], run_by: null },
  supabase: { about: 'Supabase third-party auth', files: ['README.txt', 'client.js'], run_by: null },
  kubernetes: { about: 'kube-apiserver authentication', files: ['authentication.yaml'], run_by: null },
}

/** What stands in the files for what a reader has. */
const IN_FILES = {
  issuer: 'https://login.example.com',
  audience: 'https://api.example.com',
  scope: 'orders:read',
  port: 'port_value: 443',
  // Of Caddy, which takes no path there.
  upstream: 'https://login.example.com {',
  // Where they are paths of their own.
  paths: ['path_prefix: /forward-auth', 'uri /forward-auth', 'rewrite * /forward-auth'],
} as const

export interface SnippetValues {
  readonly issuer: string
  readonly audience: string
  readonly scope: string
}

/** No character that any of the files' languages takes for its own: what is printed means what it says. */
const AUDIENCE = /^[A-Za-z][\w+.-]*:[\w:/.~@=?&%()+-]+$/
const SCOPE = /^[\w:./-]+$/

/** @returns what is wrong with a value, if anything */
export function snippetProblem({ audience, scope }: SnippetValues): string | undefined {
  if (!AUDIENCE.test(audience)) return 'The audience has to be an absolute URI of plain characters.'
  if (!SCOPE.test(scope)) return 'The scope has to be one word of letters, digits and any of . : / _ -'
  return undefined
}

/** @param text of a file @param values that have no {@link snippetProblem} */
export function fillSnippet(text: string, { issuer, audience, scope }: SnippetValues): string {
  const { hostname, origin, pathname, port, protocol } = new URL(issuer)
  const base = pathname.replace(/\/$/, '')
  const filled: Readonly<Record<string, string>> = {
    [IN_FILES.issuer]: issuer,
    [new URL(IN_FILES.issuer).hostname]: hostname,
    [IN_FILES.port]: `port_value: ${port || (protocol === 'http:' ? '80' : '443')}`,
    [IN_FILES.audience]: audience,
    [encodeURIComponent(IN_FILES.audience)]: encodeURIComponent(audience),
    [IN_FILES.scope]: scope,
    [IN_FILES.upstream]: `${origin} {`,
    ...Object.fromEntries(IN_FILES.paths.map((path) => [path, path.replace('/forward-auth', `${base}/forward-auth`)])),
    // In a regular expression.
    [literal(IN_FILES.scope)]: literal(scope),
  }
  const names = Object.keys(filled).toSorted((a, b) => b.length - a.length)
  const pattern = new RegExp(names.map((name) => name.replace(/[^\w]/g, '\\$&')).join('|'), 'g')
  return text.replace(pattern, (found) => filled[found] ?? found)
}

function literal(text: string): string {
  return text.replace(/[^\w]/g, '[$&]')
}
