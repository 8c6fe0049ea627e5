/** Writes `config/README.md` from the schema; with `--check`, fails when it is not what the schema says. */
import { readFileSync, writeFileSync } from 'node:fs'
import { SECTIONS, SETTINGS, type Setting } from '../config/settings.ts'

const TARGET = new URL('../config/README.md', import.meta.url)

const INTRODUCTION = `<!-- Made from schema.ts by \`npm run generate\`. -->
# Configuration reference

Everything has a default that works on one machine. A value is taken from the last of these that gives it:

1. the default;
2. the file: \`gatehouse.yaml\` in the working directory, or the one that \`--config\` or \`GATEHOUSE_CONFIG\` names (YAML or JSON);
3. the environment: \`GATEHOUSE_\` and the key in capitals, with \`__\` between its levels. Lists are separated by commas. With
   \`_FILE\` behind the name, the value is the content of that file: for secrets that are mounted;
4. flags of the command line.

\`gatehouse config print --sources\` shows what is in force and where each value came from. An unknown key, a value out of
bounds or two values that contradict each other stop the start, all of them told at once. Relative paths start from the
working directory. [gatehouse.example.yaml](gatehouse.example.yaml) is a file to begin with.
`

function reference(): string {
  const sections = ['', ...SECTIONS.keys()].map((section) => {
    const rows = [...SETTINGS.values()].filter((setting) => setting.section === section).map(row)
    const title = section === '' ? '## Top level' : `## ${section}\n\n${SECTIONS.get(section)}`
    return `${title}\n\n| Key | Environment | Value | Default | |\n| --- | --- | --- | --- | --- |\n${rows.join('\n')}\n`
  })
  return [INTRODUCTION, ...sections].join('\n')
}

function row(setting: Setting): string {
  const cells = [
    code(setting.path),
    code(setting.environment),
    rangeOf(setting),
    defaultOf(setting),
    setting.description,
  ]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function rangeOf({ kind, choices, minimum, maximum, format, nullable }: Setting): string {
  if (kind === 'choice') return choices.map(code).join(', ')
  if (kind === 'integer') return `${minimum} – ${maximum}`
  if (kind === 'boolean') return `${code('true')}, ${code('false')}`
  if (kind === 'list') return `list of ${format === 'cidr' ? 'CIDR ranges' : 'origins'}`
  return nullable ? `text, ${code('null')}` : 'text'
}

function defaultOf({ derived, fallback }: Setting): string {
  return code(derived ?? (typeof fallback === 'string' ? fallback : JSON.stringify(fallback)))
}

function code(text: string): string {
  return `\`${text}\``
}

const expected = reference()
if (!process.argv.includes('--check')) {
  writeFileSync(TARGET, expected)
} else if (readFileSync(TARGET, 'utf8') !== expected) {
  console.error('config/README.md is not what config/schema.ts says: run `npm run generate`.')
  process.exitCode = 1
}
