import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import { type ConfigProblem, nearest } from './problems.ts'
import { SECTIONS, SETTINGS, type Setting } from './settings.ts'

/** What one place says: values by path, each with where exactly it was written. */
export interface Layer {
  readonly values: Map<string, { readonly value: unknown; readonly source: string }>
  readonly problems: ConfigProblem[]
}

/** Where the file is. */
export const CONFIG_FILE_VARIABLE = 'GATEHOUSE_CONFIG'

/** Names that begin like settings and are none; the command line reads the last two for a remote server. */
const NOT_SETTINGS: readonly string[] = [CONFIG_FILE_VARIABLE, 'GATEHOUSE_TOKEN', 'GATEHOUSE_CLIENT_SECRET']

const emptyLayer = (): Layer => ({ values: new Map(), problems: [] })

/** Reads a configuration file; JSON is YAML. @param name how problems call it */
export function fileLayer(name: string, text: string): Layer {
  const layer = emptyLayer()
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number | undefined) => `${name}:${lines.linePos(offset ?? 0).line}`
  for (const error of document.errors)
    layer.problems.push({ path: '', source: at(error.pos[0]), message: error.message })
  if (document.errors.length > 0 || document.contents === null) return layer
  if (!isMap(document.contents)) {
    layer.problems.push({
      path: '',
      source: at(0),
      message: 'The file must be a list of keys and values.',
      example: 'port: 3000',
    })
    return layer
  }

  const walk = (map: YAMLMap, prefix: string): void => {
    for (const { key, value } of map.items) {
      const keyNode = isScalar(key) ? key : undefined
      const path = `${prefix}${String(keyNode?.value)}`
      const source = at(keyNode?.range?.[0])
      if (SECTIONS.has(path)) {
        if (isMap(value)) walk(value, `${path}.`)
        else if (!isScalar(value) || value.value !== null) {
          layer.problems.push({ path, source, message: 'must be a group of keys' })
        }
      } else if (SETTINGS.has(path)) {
        layer.values.set(path, { value: (value as Node | null)?.toJS(document) ?? null, source })
      } else {
        layer.problems.push(unknownKey(path, source, nearest(path, [...SETTINGS.keys(), ...SECTIONS.keys()])))
      }
    }
  }
  walk(document.contents, '')
  return layer
}

/** Reads the environment: `GATEHOUSE_…`, and `GATEHOUSE_…_FILE` for a value that is in a file (a mounted secret). */
export function environmentLayer(env: Readonly<Record<string, string | undefined>>, cwd: string): Layer {
  const layer = emptyLayer()
  const byName = new Map([...SETTINGS.values()].map((setting) => [setting.environment, setting]))
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('GATEHOUSE_') || NOT_SETTINGS.includes(name) || text === undefined) continue
    const direct = byName.get(name)
    const setting = direct ?? byName.get(name.replace(/_FILE$/, ''))
    if (setting === undefined) {
      layer.problems.push(unknownKey(name, name, serviceLinkHint(name, text) ?? nearest(name, byName.keys())))
    } else if (layer.values.has(setting.path)) {
      layer.problems.push({ path: setting.path, source: name, message: `is given by ${setting.environment}, too` })
    } else if (direct !== undefined) {
      layer.values.set(setting.path, { value: parseText(setting, text), source: name })
    } else {
      readSecret(layer, setting, name, resolve(cwd, text))
    }
  }
  return layer
}

/** Takes what the command line says: values by path. A text is read as in the environment. */
export function flagLayer(flags: Readonly<Record<string, unknown>>): Layer {
  const layer = emptyLayer()
  for (const [path, value] of Object.entries(flags)) {
    const setting = SETTINGS.get(path)
    const source = `--${path.replaceAll(/[._]/g, '-')}`
    if (value === undefined) continue
    if (setting === undefined) layer.problems.push(unknownKey(path, source, nearest(path, SETTINGS.keys())))
    else layer.values.set(path, { value: typeof value === 'string' ? parseText(setting, value) : value, source })
  }
  return layer
}

function readSecret(layer: Layer, setting: Setting, name: string, path: string): void {
  try {
    layer.values.set(setting.path, {
      value: parseText(setting, readFileSync(path, 'utf8').replace(/\r?\n$/, '')),
      source: name,
    })
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    layer.problems.push({ path: setting.path, source: name, message: `cannot be read from ${path} (${reason})` })
  }
}

/** What a text means for a setting. One that means nothing stays a text, and the check refuses it. */
function parseText(setting: Setting, text: string): unknown {
  if (text === '' && setting.nullable) return null
  if (setting.kind === 'integer') return /^-?\d{1,15}$/.test(text) ? Number(text) : text
  if (setting.kind === 'boolean') return text === 'true' || (text === 'false' ? false : text)
  if (setting.kind !== 'list') return text
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}

function unknownKey(path: string, source: string, suggestion: string | undefined): ConfigProblem {
  const where = suggestion === undefined ? ' All of them are in config/README.md.' : ''
  const message = `is not a ${source === path ? 'variable that Gatehouse knows' : 'configuration key'}.${where}`
  return { path, source, message, ...(suggestion === undefined ? {} : { suggestion }) }
}

/** Kubernetes gives every pod variables about a service called `gatehouse`. */
function serviceLinkHint(name: string, text: string): string | undefined {
  const link = /^GATEHOUSE_(SERVICE_(HOST|PORT)|PORT_\d+_(TCP|UDP))/.test(name) || /^(tcp|udp):\/\//.test(text)
  return link ? 'enableServiceLinks: false in the pod (Kubernetes made this variable)' : undefined
}
