import { ConfigSchema } from './schema.ts'

export type SettingKind = 'integer' | 'boolean' | 'text' | 'choice' | 'list'

/** One configurable value: a leaf of the schema, laid flat. */
export interface Setting {
  /** `tokens.access_token_seconds` */
  readonly path: string
  /** `GATEHOUSE_TOKENS__ACCESS_TOKEN_SECONDS` */
  readonly environment: string
  /** The first part of the path; empty at the top level. */
  readonly section: string
  readonly kind: SettingKind
  readonly nullable: boolean
  readonly choices: readonly string[]
  readonly minimum: number | undefined
  readonly maximum: number | undefined
  readonly max_length: number | undefined
  readonly pattern: string | undefined
  readonly format: string | undefined
  readonly fallback: unknown
  /** How the default follows from other values. */
  readonly derived: string | undefined
  readonly description: string
}

/** What the schema builder's output looks like from here: plain JSON Schema. */
interface SchemaNode {
  readonly type?: string
  readonly const?: unknown
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly anyOf?: readonly SchemaNode[]
  readonly items?: SchemaNode
  readonly default?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly pattern?: string
  readonly format?: string
  readonly derived?: string
  readonly description?: string
}

const ROOT: SchemaNode = ConfigSchema

/** The sections, each with its description, in the order of the schema. */
export const SECTIONS: ReadonlyMap<string, string> = new Map(
  Object.entries(ROOT.properties ?? {})
    .filter(([, node]) => node.properties !== undefined)
    .map(([name, node]) => [name, node.description ?? '']),
)

/** Every setting by its path, in the order of the schema. */
export const SETTINGS: ReadonlyMap<string, Setting> = new Map(
  flatten('', ROOT).map((setting): [string, Setting] => [setting.path, setting]),
)

/** The environment variable of a path: `GATEHOUSE_`, then the path in capitals with `__` between levels. */
export function environmentName(path: string): string {
  return `GATEHOUSE_${path.replaceAll('.', '__').toUpperCase()}`
}

function flatten(prefix: string, node: SchemaNode): Setting[] {
  return Object.entries(node.properties ?? {}).flatMap(([name, child]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`
    return child.properties === undefined ? [toSetting(prefix, path, child)] : flatten(path, child)
  })
}

function toSetting(section: string, path: string, node: SchemaNode): Setting {
  const branches = node.anyOf ?? []
  const choices = branches.map((branch) => branch.const).filter((value) => typeof value === 'string')
  const nullable = branches.some((branch) => branch.type === 'null')
  const value = nullable ? (branches.find((branch) => branch.type !== 'null') ?? node) : node
  return {
    path,
    environment: environmentName(path),
    section,
    kind: choices.length > 0 ? 'choice' : kindOf(value.type),
    nullable,
    choices,
    minimum: value.minimum,
    maximum: value.maximum,
    max_length: value.maxLength,
    pattern: value.pattern,
    format: value.format ?? value.items?.format,
    fallback: node.default,
    derived: node.derived,
    description: node.description ?? '',
  }
}

function kindOf(type: string | undefined): SettingKind {
  if (type === 'integer' || type === 'boolean') return type
  return type === 'array' ? 'list' : 'text'
}
