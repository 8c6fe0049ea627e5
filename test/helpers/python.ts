/**
 * Python packages for tests. They come from a registry, so a test that needs them must be ready to go without, and to
 * say so.
 */
import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** How long an installation may take. A lock older than this belongs to nobody any more. */
export const INSTALL_SECONDS = 120

const FOLDER = new URL('../../.python', import.meta.url).pathname

export type PythonPackages = { readonly bin: string } | { readonly unavailable: string }

/**
 * Installs packages once, into a virtual environment that later runs find again. Test files that ask at the same time
 * wait for one another.
 *
 * @param requirements path of a requirements.txt
 * @returns the folder of the environment's programs, or why there is none
 */
export async function pythonPackages(
  requirements: string,
  folder = FOLDER,
  python = 'python3',
): Promise<PythonPackages> {
  const wanted = await readFile(requirements, 'utf8')
  const record = join(folder, 'installed.txt')
  const bin = join(folder, 'bin')
  const isInstalled = async () => (await readFile(record, 'utf8').catch(() => '')) === wanted

  if (await isInstalled()) return { bin }
  const unlock = await lock(folder)
  try {
    if (await isInstalled()) return { bin }
    const signal = AbortSignal.timeout(INSTALL_SECONDS * 1_000)
    await run(python, ['-m', 'venv', folder], { signal })
    await run(
      join(bin, 'python'),
      ['-m', 'pip', 'install', '--quiet', '--retries=1', '--timeout=15', '-r', requirements],
      {
        signal,
      },
    )
    // Last: a record means that everything is there.
    await writeFile(record, wanted)
    return { bin }
  } catch (error) {
    return { unavailable: reason(error) }
  } finally {
    await unlock()
  }
}

/** Making a folder either works or finds it there, for one process at a time. */
async function lock(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock')
  await mkdir(folder, { recursive: true })
  for (;;) {
    try {
      await mkdir(path)
      return () => rm(path, { recursive: true, force: true })
    } catch {
      const made = await stat(path).catch(() => undefined)
      if (made !== undefined && Date.now() - made.mtimeMs > INSTALL_SECONDS * 1_000)
        await rm(path, { recursive: true, force: true })
      else await sleep(100)
    }
  }
}

/** The last line that the failing program wrote is the one that says what it is about. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'AbortError') return `not installed in ${INSTALL_SECONDS} s`
  const written = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr.trim() : ''
  return written.split('\n').at(-1) || error.message
}
