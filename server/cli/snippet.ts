import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import { type Cli, loadConfiguration, note, print } from './cli.ts'
import { CliError } from './exit.ts'
import { table } from './output.ts'
import { fillSnippet, SNIPPETS, snippetProblem } from './snippet_catalog.ts'

interface Options {
  readonly audience?: string
  readonly scope: string
  readonly output?: string
}

/** `gatehouse snippet`: what a resource server needs to verify tokens of this issuer. */
export function registerSnippet(program: Command, cli: Cli): void {
  program
    .command('snippet')
    .description('print the settings with which a resource server verifies tokens of this issuer')
    .argument('[stack]', 'what it is written in, or what stands before it; left out: list them')
    .option('--audience <uri>', 'the `aud` of its tokens; left out: the default resource')
    .addOption(new Option('--scope <scope>', 'the scope that a token has to have').default('read'))
    .option('--output <folder>', 'write the files there')
    .addHelpText('after', '\nExample: gatehouse snippet fastify --audience https://api.example.com --scope orders:read')
    .action(async (stack: string | undefined, options: Options) => {
      if (stack === undefined) return list(cli)
      const snippet = Object.hasOwn(SNIPPETS, stack) ? SNIPPETS[stack] : undefined
      if (snippet === undefined) {
        throw new CliError('not_found', `There is no snippet for ${stack}.`, 'List them: gatehouse snippet')
      }
      const { config } = await loadConfiguration(cli)
      const audience = options.audience ?? config.tokens.default_resource ?? config.issuer
      const values = { issuer: config.issuer, audience, scope: options.scope }
      const problem = snippetProblem(values)
      if (problem !== undefined) throw new CliError('usage', problem)
      const folder = join(snippetFolder(), stack)
      const files = snippet.files.map((name) => ({
        name,
        text: fillSnippet(readFileSync(join(folder, name), 'utf8'), values),
      }))
      if (snippet.run_by === null) note(cli, 'No test runs this one: see docs/resource_servers.md.')
      if (options.output !== undefined) return write(cli, options.output, files)
      const [only] = files
      const text = files.length === 1 ? (only?.text ?? '') : files.map(titled).join('\n')
      return print(cli, { stack, ...values, files }, text.trimEnd())
    })
}

function list(cli: Cli): void {
  const rows = Object.entries(SNIPPETS).map(([stack, { about, run_by }]) => ({ stack, about, tested: run_by !== null }))
  const shown = rows.map(({ tested, ...row }) => ({ ...row, tested: tested ? 'yes' : 'no' }))
  print(cli, { snippets: rows }, table(shown, { stack: 'stack', about: 'for', tested: 'run by a test' }))
}

function titled({ name, text }: { readonly name: string; readonly text: string }): string {
  return `──── ${name}\n${text}`
}

function write(cli: Cli, output: string, files: readonly { readonly name: string; readonly text: string }[]): void {
  const folder = resolve(cli.io.cwd ?? '.', output)
  const paths = files.map(({ name }) => join(folder, name))
  const existing = paths.find((path) => existsSync(path))
  if (existing !== undefined) throw new CliError('conflict', `${existing} is there already.`, 'Name another folder.')
  mkdirSync(folder, { recursive: true })
  for (const { name, text } of files) writeFileSync(join(folder, name), text)
  print(cli, { files: paths }, paths.join('\n'))
}

/** In the package's root, which is nearer from the sources than from `dist`. */
function snippetFolder(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return join(folder, 'snippets')
  }
  throw new CliError('failed', 'The folder snippets is missing.', 'Install Gatehouse again.')
}
