/** What `gatehouse snippet spring` prints, as it is printed: Spring Boot 4 and Spring Security 7, built by Maven. */
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { startProgram } from '../helpers/child_process.ts'
import { freePort, temporaryDirectory } from '../helpers/process.ts'
import { apiAt, judgeBound, judgeOutage, judgeVerifier, writeSnippet } from '../helpers/snippets.ts'
import { startStandInIssuer } from '../helpers/stand_in_issuer.ts'

// The first time, Maven fetches a hundred packages.
const BUILD_SECONDS = 180

const run = promisify(execFile)

/** @returns why there is no Maven, or what it cannot fetch; failing to compile is no reason to go without */
async function noMaven(folder: string): Promise<string | false> {
  const options = { cwd: folder, timeout: BUILD_SECONDS * 1_000 }
  try {
    await run('mvn', ['-q', '-B', '-ntp', 'package'], options)
    return false
  } catch (error) {
    const said = error instanceof Error ? `${error.message}${'stdout' in error ? String(error.stdout) : ''}` : ''
    if (/ENOENT|Could not (?:transfer|find|resolve)|Non-resolvable/.test(said)) return 'no Maven, or no packages for it'
    throw error
  }
}

t.setTimeout((BUILD_SECONDS + 60) * 1_000)
const issuer = await startStandInIssuer(t)
const folder = await writeSnippet('spring', temporaryDirectory(t), issuer)
// Where the file says that it belongs.
mkdirSync(join(folder, 'src/main/java/example'), { recursive: true })
cpSync(join(folder, 'Api.java'), join(folder, 'src/main/java/example/Api.java'))
const skip = await noMaven(folder)
if (skip) process.stderr.write(`test/snippets/spring.test.ts SKIPPED: ${skip}\n`)

t.test('RFC 9068 §4, RFC 6750 §3: spring', { skip }, async (t) => {
  const port = await freePort()
  const args = ['-Xmx256m', '-jar', join(folder, 'target/api-1.jar'), `--server.port=${port}`]
  const api = await startProgram({ command: 'java', args, cwd: folder, ready: /Started Api/, timeout_seconds: 60 })
  t.teardown(() => api.stop())
  const get = await apiAt(port)
  await judgeVerifier(t, issuer, get)
  await judgeBound(t, issuer, get)
  await judgeOutage(t, issuer, get, [401, 500])
})
