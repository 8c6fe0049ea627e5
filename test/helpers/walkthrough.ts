/** Does what a page of `docs/migrate/` says, with an export beside it. */
import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { loadConfig } from '../../config/load.ts'
import { buildApp } from '../../server/app.ts'
import { openDeps } from '../../server/main.ts'
import { createLog } from '../../server/observe/log.ts'
import { runInProcess } from './cli.ts'
import { blocksOf } from './markdown.ts'
import { type CommandResult, temporaryDirectory } from './process.ts'

const DOCS = new URL('../../docs/migrate/', import.meta.url)
const EXPORTS = new URL('../migrate/exports/', import.meta.url)

export interface Walk {
  /** What each command of the page ended with. */
  readonly results: readonly CommandResult[]
  /** An account as the command line shows it. */
  readonly show: (name: string) => Promise<Record<string, unknown>>
  /** Rows that did not come in: number and fields. */
  readonly problems: (file: string) => unknown[]
  /** What signing in with a password is answered. */
  readonly signIn: (username: string, password: string) => Promise<number>
}

/**
 * Runs the commands that a page marks to be run.
 *
 * @param page.tag of its blocks: `<!-- test: run -->`
 * @param page.files name in `exports/` by the name that the page uses
 */
export async function walkThrough(
  t: Test,
  page: { name: string; tag?: string; files: Readonly<Record<string, string>> },
): Promise<Walk> {
  const directory = temporaryDirectory(t)
  const env = { GATEHOUSE_DATA_DIR: directory }
  for (const [name, file] of Object.entries(page.files)) copyFileSync(new URL(file, EXPORTS), join(directory, name))
  const blocks = blocksOf(readFileSync(new URL(page.name, DOCS), 'utf8'))
  const commands = blocks
    .filter(({ tag }) => tag === (page.tag ?? 'run'))
    .flatMap(({ text }) => text.trim().split('\n'))
  if (commands.length === 0) throw new Error(`${page.name} has nothing to run`)
  // Gatehouse has been installed.
  await runInProcess(['setup-link'], env)
  const results: CommandResult[] = []
  for (const command of commands) results.push(await runInProcess(command.split(' ').slice(1), env))
  for (const name of Object.keys(page.files)) rmSync(join(directory, name))
  const { config } = loadConfig({ flags: {}, env, cwd: directory })
  const deps = await openDeps(config, { log: createLog({ level: 'fatal', format: 'json' }) })
  const server = await buildApp(deps)
  t.teardown(async () => {
    await server.close()
    await deps.store.close()
  })
  return {
    results,
    async show(name) {
      const { stdout } = await runInProcess(['users', 'show', name, '--json'], env)
      return JSON.parse(stdout)
    },
    problems(file) {
      const lines = readFileSync(join(directory, file), 'utf8').split('\n').filter(Boolean)
      return lines.map((line) => {
        const { row, outcome, errors } = JSON.parse(line)
        return [row, outcome, ...errors.map(({ field }: { field: string }) => field)]
      })
    },
    async signIn(username, password) {
      const payload = { username, password }
      return (await server.inject({ method: 'POST', url: '/api/token/', payload })).statusCode
    },
  }
}
