/** The mechanical half of the style, as a function from sources to complaints. `docs/architecture.md` says why. */
import { posix } from 'node:path'

export interface SourceFile {
  /** From the top of the repository: `server/app.ts`. */
  readonly path: string
  readonly text: string
}

interface Layer {
  /** Whose code it may use. `storage` stands for everything below it. */
  readonly uses: readonly string[]
  readonly packages: readonly string[]
  /** Packages whose types alone it may know. */
  readonly types?: readonly string[]
}

const FASTIFY = ['fastify', '@fastify/', 'typebox']

/** Who may import whom, besides itself and types of the contracts. */
const LAYERS: Readonly<Record<string, Layer>> = {
  // Published by itself: nothing of the server, and nothing of Node.
  resource_server: { uses: [], packages: ['jose'], types: ['fastify', 'express'] },
  config: { uses: [], packages: ['typebox', 'yaml', 'node:fs', 'node:net', 'node:path'] },
  protocol: { uses: [], packages: ['typebox', 'node:crypto'] },
  deps: { uses: [], packages: [] },
  web: { uses: ['protocol'], packages: [] },
  observe: { uses: ['protocol'], packages: ['pino', 'node:'] },
  storage: { uses: ['protocol'], packages: ['node:'] },
  'storage/sqlite': { uses: ['storage/driver'], packages: ['better-sqlite3', 'node:'] },
  'storage/postgres': { uses: ['storage/driver'], packages: ['pg', 'node:'] },
  'storage/sqlite_backup': { uses: [], packages: ['better-sqlite3', 'node:'] },
  'storage/sqlite_window': { uses: ['storage/statements_tables'], packages: ['better-sqlite3'] },
  'storage/postgres_window': { uses: ['storage/statements_tables'], packages: ['pg'] },
  keys: { uses: ['protocol', 'observe/audit'], packages: ['jose', 'node:'] },
  outbound: { uses: ['protocol'], packages: ['undici', 'node:'] },
  tokens: { uses: ['protocol', 'keys', 'observe/audit'], packages: ['jose', 'node:'] },
  accounts: { uses: ['protocol', 'observe/audit'], packages: ['argon2', 'bcryptjs', '@zxcvbn-ts/', 'node:'] },
  // The registries of authentication methods and grant types say what a client may be registered with.
  clients: {
    uses: ['protocol', 'tokens', 'outbound', 'client_auth', 'grant_types', 'observe/audit'],
    packages: ['typebox', 'jose', 'node:crypto'],
  },
  client_auth: { uses: ['protocol', 'tokens', 'clients', 'observe/audit'], packages: ['node:crypto'] },
  grant_types: { uses: ['protocol', 'tokens', 'clients', 'observe/audit'], packages: ['typebox'] },
  response_modes: { uses: ['protocol', 'tokens', 'web', 'http'], packages: ['fastify'] },
  http: { uses: ['protocol', 'accounts', 'storage/driver', 'web'], packages: [...FASTIFY, 'node:'] },
  interactions: {
    uses: ['protocol', 'accounts', 'tokens', 'clients', 'response_modes', 'web', 'http', 'observe/audit'],
    packages: FASTIFY,
  },
  endpoints: {
    uses: [
      'protocol',
      'grant_types',
      'client_auth',
      'clients',
      'interactions',
      'response_modes',
      'tokens',
      'web',
      'http',
      'observe/audit',
    ],
    packages: [...FASTIFY, 'node:stream'],
  },
  demo: { uses: ['protocol', 'web', 'http', 'observe/audit'], packages: [...FASTIFY, 'jose', 'node:crypto'] },
  token_api: {
    uses: ['accounts', 'protocol', 'tokens', 'clients', 'keys', 'http', 'observe/audit'],
    packages: FASTIFY,
  },
  admin: {
    uses: ['accounts', 'protocol', 'tokens', 'clients', 'keys', 'http', 'observe', 'client_auth', 'grant_types'],
    packages: [...FASTIFY, 'fast-json-stringify', 'node:'],
  },
  app: {
    uses: [
      'endpoints',
      'interactions',
      'demo',
      'token_api',
      'admin',
      'http',
      'grant_types',
      'client_auth',
      'tokens',
      'protocol',
    ],
    packages: [...FASTIFY, 'node:'],
  },
  jobs: {
    uses: [
      'keys',
      'protocol',
      'clients',
      'tokens',
      'observe',
      'storage/driver',
      'storage/open',
      'storage/scheduled_backups',
    ],
    packages: ['node:'],
  },
  main: {
    uses: [
      'app',
      'clients',
      'demo',
      'jobs',
      'token_api',
      'config',
      'keys',
      'storage',
      'observe',
      'outbound',
      'accounts',
      'tokens',
      'protocol',
      'admin',
    ],
    packages: ['close-with-grace', 'node:'],
  },
  cli: {
    uses: [
      'main',
      'app',
      'demo',
      'config',
      'keys',
      'storage',
      'observe',
      'accounts',
      'tokens',
      'client_auth',
      'protocol',
      'admin',
    ],
    packages: ['commander', '@clack/', 'csv-parse', 'yaml', 'jose', 'typebox', 'node:'],
  },
}

/** What everyone but the pure layers may know the types of. */
const CONTRACTS = [
  'deps',
  'config',
  'protocol',
  'observe',
  'keys',
  'storage/store',
  'storage/records',
  'storage/driver',
]
const OWN_CONTRACTS: Readonly<Record<string, readonly string[]>> = {
  config: [],
  resource_server: [],
  protocol: ['storage/records'],
  deps: [...CONTRACTS, 'accounts', 'outbound', 'clients', 'tokens'],
}

interface Import {
  readonly specifier: string
  readonly type_only: boolean
  /** `import('…')`: loaded when it is needed. */
  readonly late: boolean
}

interface Rule {
  readonly about: string
  readonly pattern: RegExp
  readonly applies: (path: string) => boolean
}

const isProduct = (path: string) => /^(server|keys|config|web)\//.test(path)
const isPackage = (path: string) => path.startsWith('resource_server/')
const isEntry = (path: string) => path === 'server/main.ts' || path.startsWith('server/cli/')
const isCode = (path: string) => /\.(ts|cjs|mjs|js)$/.test(path)

/** Patterns that may not occur; comments do not count. */
const PATTERNS: readonly Rule[] = [
  {
    about: 'the environment is read in config/load.ts only',
    pattern:
      /\bprocess\s*\.\s*env\b|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b|import\s*\{[^}]*\benv\b[^}]*\}\s*from 'node:process'/,
    applies: (path) => isProduct(path) && path !== 'config/load.ts',
  },
  {
    about: 'time comes from deps.clock, which an entry point makes',
    pattern: /\bDate\s*\.\s*now\b|\bnew Date\(\s*\)|(?<!new )\bDate\(\s*\)/,
    applies: (path) => isProduct(path) && !isEntry(path),
  },
  {
    about: 'randomness comes from deps.random, which an entry point makes',
    pattern: /\bMath\s*\.\s*random\b|\brandom(Bytes|UUID|Int|Fill|FillSync)\b|\bgetRandomValues\b/,
    applies: (path) => isProduct(path) && !isEntry(path),
  },
  {
    about: 'only the command line prints',
    pattern: /\bconsole\s*\.|\bprocess\s*\.\s*(stdout|stderr)\s*\.\s*write\b/,
    applies: (path) => isProduct(path) && !isEntry(path),
  },
  {
    about: 'the package reads no environment, and its clock is an option',
    pattern: /\bprocess\b\s*[.[]|\bDate\s*\.\s*now\b|\bnew Date\(\s*\)|\bconsole\s*\./,
    applies: (path) => isPackage(path) && path !== 'resource_server/options.ts',
  },
  { about: 'nothing is exported by default', pattern: /^\s*export\s+default\b|\bas\s+default\b/m, applies: isCode },
  {
    about: 'no barrels: import a thing from where it is made',
    pattern: /^\s*export\s+(type\s+)?(\*|\{[^}]*\})(\s+as\s+\w+)?\s+from\b/m,
    applies: isCode,
  },
]

/** Texts that may not occur anywhere. They are put together here, so that this file may be checked, too. */
const TEXTS: readonly Rule[] = [
  {
    about: 'nothing is left to be done later',
    pattern: new RegExp(`\\b(${['TO', 'FIX'].join('DO|')}ME|X{3})\\b`),
    applies: isCode,
  },
  {
    about: 'nothing points out of the repository',
    pattern: new RegExp(['\\.\\./', 'shared\\b|/', 'work/'].join('')),
    applies: () => true,
  },
]

const MOST_LINES = 400

/** @returns one line for each thing that is out of place; empty when all is tidy */
export function complaintsAbout(files: readonly SourceFile[]): string[] {
  return [...files.flatMap(complaintsAboutFile), ...complaintsAboutCycles(files)]
}

function complaintsAboutFile({ path, text }: SourceFile): string[] {
  const code = isCode(path) ? withoutComments(text) : ''
  const complaints = [
    ...PATTERNS.filter((rule) => rule.applies(path) && rule.pattern.test(code)),
    ...TEXTS.filter((rule) => rule.applies(path) && rule.pattern.test(text)),
  ].map((rule) => `${path}: ${rule.about}`)
  if (isCode(path) && text.split('\n').length > MOST_LINES + 1)
    complaints.push(`${path}: longer than ${MOST_LINES} lines`)
  if ((isProduct(path) || isPackage(path)) && isCode(path))
    complaints.push(...complaintsAboutImports(path, importsOf(code)))
  return complaints
}

function complaintsAboutImports(path: string, imports: readonly Import[]): string[] {
  const from = unitOf(path)
  const layer = LAYERS[from] ?? LAYERS[from.split('/')[0] ?? '']
  if (layer === undefined) return [`${path}: belongs to no layer`]
  const contracts = OWN_CONTRACTS[from] ?? CONTRACTS
  return imports.flatMap(({ specifier, type_only }) => {
    if (!specifier.startsWith('.')) {
      const packages = type_only ? [...layer.packages, ...(layer.types ?? [])] : layer.packages
      const allowed = packages.some(
        (name) =>
          specifier === name ||
          specifier.startsWith(name.replace(/\/?$/, '/')) ||
          (name.endsWith(':') && specifier.startsWith(name)),
      )
      return allowed ? [] : [`${path}: ${from} may not import ${specifier}`]
    }
    const to = unitOf(posix.join(posix.dirname(path), specifier))
    const within = (unit: string) => to === unit || to.startsWith(`${unit}/`)
    const own = from.split('/')[0] === to.split('/')[0] && !/^storage\/(sqlite|postgres)$/.test(from)
    if (own || layer.uses.some(within) || (type_only && contracts.some(within))) return []
    return [`${path}: ${from} may not import ${type_only ? 'types of ' : ''}${to}`]
  })
}

/** The layer that a path belongs to; in storage and observe each file is told apart. */
function unitOf(path: string): string {
  const parts = path.replace(/\.ts$/, '').split('/')
  if (parts[0] !== 'server') return parts[0] ?? ''
  if (parts[1] === 'storage' || parts[1] === 'observe') return `${parts[1]}/${parts[2]}`
  return parts[1] ?? ''
}

function importsOf(code: string): Import[] {
  const statements = code.matchAll(
    /^[ \t]*(?:import|export)\b([^;'"`]*?)\bfrom\s*'([^']+)'|^[ \t]*import\s*'([^']+)'/gm,
  )
  const dynamic = code.matchAll(/\bimport\(\s*'([^']+)'/g)
  return [
    ...[...statements].map((match) => ({
      specifier: match[2] ?? match[3] ?? '',
      type_only: isTypeOnly(match[1] ?? ''),
      late: false,
    })),
    ...[...dynamic].map((match) => ({ specifier: match[1] ?? '', type_only: false, late: true })),
  ]
}

/** `type { A }`, or `{ type A, type B }`: gone when it runs. */
function isTypeOnly(clause: string): boolean {
  if (/^\s*type\b/.test(clause)) return true
  const names = /^\s*\{([^}]*)\}\s*$/
    .exec(clause)?.[1]
    ?.split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  return names !== undefined && names.length > 0 && names.every((name) => name.startsWith('type '))
}

/** Cycles of code at load; types may know each other, and what is loaded late may know its loader. */
function complaintsAboutCycles(files: readonly SourceFile[]): string[] {
  const product = files.filter(({ path }) => (isProduct(path) || isPackage(path)) && isCode(path))
  const targets = new Map(
    product.map(({ path, text }): [string, string[]] => [
      path,
      importsOf(withoutComments(text))
        .filter(({ specifier, type_only, late }) => specifier.startsWith('.') && !type_only && !late)
        .map(({ specifier }) => posix.join(posix.dirname(path), specifier)),
    ]),
  )
  const done = new Set<string>()
  const complaints: string[] = []
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) complaints.push(`cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' → ')}`)
    if (done.has(path)) return
    done.add(path)
    for (const target of targets.get(path) ?? []) visit(target, [...trail, path])
  }
  for (const path of targets.keys()) visit(path, [])
  return complaints
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}
