import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { faultOf } from './check.ts'
import { type Contradiction, contradictionsOf, lacksOf } from './contradictions.ts'
import { CONFIG_FILE_VARIABLE, environmentLayer, fileLayer, flagLayer, type Layer } from './layers.ts'
import { ConfigError, type ConfigProblem } from './problems.ts'
import type { Config } from './schema.ts'
import { SETTINGS, type Setting } from './settings.ts'

export interface LoadOptions {
  /** Values by path, from the command line; `config` names the file. Undefined members are as good as absent. */
  readonly flags?: Readonly<Record<string, unknown>>
  readonly env?: Readonly<Record<string, string | undefined>>
  /** What relative paths start from. */
  readonly cwd?: string
}

/** Where each value came from, by path: `default`, `gatehouse.yaml:3`, `GATEHOUSE_PORT`, `--port`. */
export type Sources = ReadonlyMap<string, string>

export interface LoadedConfig {
  readonly config: Config
  readonly sources: Sources
}

/** The process's environment, for the command line, which reads credentials from it. */
export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env
}

const DEFAULT_FILE = 'gatehouse.yaml'

/**
 * Reads the configuration: defaults, overridden by the file, by the environment, by flags.
 *
 * @throws {ConfigError} with everything that is wrong, at once
 */
export function loadConfig(options: LoadOptions = {}): LoadedConfig {
  const { flags = {}, env = environment(), cwd = process.cwd() } = options
  const { config: file = env[CONFIG_FILE_VARIABLE], ...overrides } = flags
  const layers = [readFile(file, cwd), environmentLayer(env, cwd), flagLayer(overrides)]

  const values = new Map<string, unknown>()
  const sources = new Map<string, string>()
  const problems: ConfigProblem[] = layers.flatMap((layer) => layer.problems)
  for (const setting of SETTINGS.values()) {
    const given = layers.findLast((layer) => layer.values.has(setting.path))?.values.get(setting.path)
    values.set(setting.path, given === undefined ? setting.fallback : given.value)
    sources.set(setting.path, given?.source ?? 'default')
    const fault = given && faultOf(setting, given.value)
    if (fault !== undefined && given !== undefined) problems.push(problemOf(setting, given.source, fault))
  }
  if (problems.length > 0) throw new ConfigError(problems)

  derive(values, cwd)
  if (values.get('port') === 0 && sources.get('issuer') === 'default') {
    const message = 'must be given when the port is 0, because it cannot follow from it'
    throw new ConfigError([{ path: 'issuer', source: sources.get('port') ?? '', message }])
  }
  const config = deepFreeze(nest(values))
  const lacks = lacksOf(config).map(({ path, message }) => ({ path, source: sources.get(path) ?? '', message }))
  if (lacks.length > 0) throw new ConfigError(lacks)
  const contradictions = contradictionsOf(config)
  if (contradictions.length > 0) throw new ConfigError(contradictions.map((found) => explain(found, sources)))
  return { config, sources }
}

function readFile(file: unknown, cwd: string): Layer {
  const absent: Layer = { values: new Map(), problems: [] }
  if (file === undefined && !existsSync(join(cwd, DEFAULT_FILE))) return absent
  const name = typeof file === 'string' && file !== '' ? file : DEFAULT_FILE
  try {
    return fileLayer(name, readFileSync(resolve(cwd, name), 'utf8'))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { ...absent, problems: [{ path: '', source: name, message: `The file cannot be read: ${reason}` }] }
  }
}

const FILES = [
  'http.tls_certificate_file',
  'http.tls_key_file',
  'http.client_ca_file',
  'backup.directory',
  'token_api.legacy_secret_file',
]

/** Fills in the defaults that hang on other values, and makes paths absolute. */
function derive(values: Map<string, unknown>, cwd: string): void {
  const text = (path: string, fallback: string): string => {
    const value = values.get(path)
    return typeof value === 'string' ? value : fallback
  }
  const data_dir = resolve(cwd, text('data_dir', ''))
  const database = text('database', `sqlite:${join(data_dir, 'gatehouse.db')}`)
  const sqlite_path = /^sqlite:(?!:memory:$)(.+)$/.exec(database)?.[1]
  values.set('issuer', text('issuer', `http://localhost:${String(values.get('port'))}`))
  values.set('data_dir', data_dir)
  values.set('database', sqlite_path === undefined ? database : `sqlite:${resolve(cwd, sqlite_path)}`)
  for (const path of FILES) {
    const file = values.get(path)
    if (typeof file === 'string') values.set(path, resolve(cwd, file))
  }
  const key_file = text('keys.key_encryption_key_file', join(data_dir, 'key_encryption_key'))
  values.set('keys.key_encryption_key_file', resolve(cwd, key_file))
}

/** Every value has been checked against its setting, so together they are a {@link Config}; a test holds that. */
function nest(values: ReadonlyMap<string, unknown>): Config {
  const root: Record<string, unknown> = {}
  const sections = new Map<string, Record<string, unknown>>([['', root]])
  for (const { path, section } of SETTINGS.values()) {
    const target = sections.get(section) ?? {}
    if (!sections.has(section)) {
      sections.set(section, target)
      root[section] = target
    }
    target[path.slice(path.lastIndexOf('.') + 1)] = values.get(path)
  }
  return root as Config
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const member of Object.values(value)) deepFreeze(member)
    Object.freeze(value)
  }
  return value
}

function problemOf(setting: Setting, source: string, message: string): ConfigProblem {
  const example = exampleOf(setting, source)
  return { path: setting.path, source, message, ...(example === undefined ? {} : { example }) }
}

const EXAMPLES: Readonly<Record<string, unknown>> = {
  issuer: 'https://login.example.com',
  database: 'postgres://gatehouse@db.example.com/gatehouse',
  'tokens.default_resource': 'https://api.example.com',
  'http.trust_proxy': ['10.0.0.0/8', '192.0.2.1'],
  'http.cors_origins': ['https://app.example.com'],
}

function exampleOf(setting: Setting, source: string): string | undefined {
  const value = EXAMPLES[setting.path] ?? setting.fallback
  if (value === undefined || value === null) return undefined
  const text = Array.isArray(value) ? value.join(',') : JSON.stringify(value).replaceAll('"', '')
  if (source.startsWith('GATEHOUSE_')) return `${setting.environment}=${text}`
  if (source.startsWith('--')) return `${source} ${text}`
  const line = `${setting.path.slice(setting.path.lastIndexOf('.') + 1)}: ${Array.isArray(value) ? `[${text}]` : text}`
  return setting.section === '' ? line : `${setting.section}: { ${line} }`
}

function explain(found: Contradiction, sources: Sources): ConfigProblem {
  const source = [found.path, found.limit_path]
    .map((path) => sources.get(path) ?? '')
    .find((from) => from !== 'default')
  const limit = `${found.limit_path} (${found.limit}, from ${sources.get(found.limit_path)})`
  const message = `(${found.value}, from ${sources.get(found.path)}) is ${found.is} ${limit}: ${found.because}`
  return { path: found.path, source: source ?? 'default', message }
}
