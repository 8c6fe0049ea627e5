import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The package's version: its manifest is nearer from the sources than from `dist`. */
export function packageVersion(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (existsSync(manifest)) return JSON.parse(readFileSync(manifest, 'utf8')).version
  }
  return 'unknown'
}
