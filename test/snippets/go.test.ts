/** What `gatehouse snippet go` prints, as it is printed. */
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { startProgram } from '../helpers/child_process.ts'
import { freePort, temporaryDirectory } from '../helpers/process.ts'
import { apiAt, judgeBound, judgeOutage, judgeVerifier, writeSnippet } from '../helpers/snippets.ts'
import { startStandInIssuer } from '../helpers/stand_in_issuer.ts'

// Where Go's own installer puts it.
const INSTALLED = '/usr/local/go/bin/go'
const DOWNLOAD_SECONDS = 30
// The first time, it compiles Go's own HTTP and TLS.
const BUILD_SECONDS = 240

const run = promisify(execFile)
const go = (args: readonly string[], cwd: string, seconds: number) =>
  run(existsSync(INSTALLED) ? INSTALLED : 'go', args, {
    cwd,
    env: { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' },
    timeout: seconds * 1_000,
  })

t.setTimeout((DOWNLOAD_SECONDS + BUILD_SECONDS + 60) * 1_000)
const issuer = await startStandInIssuer(t)
const folder = await writeSnippet('go', temporaryDirectory(t), issuer)
// Failing to compile is no reason to go without.
const skip = await go(['mod', 'download'], folder, DOWNLOAD_SECONDS).then(
  () => false as const,
  (error: unknown) => `no Go modules: ${error instanceof Error ? (error.message.trim().split('\n').at(-1) ?? '') : ''}`,
)
if (skip) process.stderr.write(`test/snippets/go.test.ts SKIPPED: ${skip}\n`)

t.test('RFC 9068 §4, RFC 6750 §3: go', { skip }, async (t) => {
  await go(['vet', './...'], folder, BUILD_SECONDS)
  await go(['build', '-mod=readonly', '-buildvcs=false', '-o', 'api', '.'], folder, BUILD_SECONDS)
  const port = await freePort()
  const env = { PORT: String(port) }
  const api = await startProgram({ command: join(folder, 'api'), args: [], env, ready: /listening/ })
  t.teardown(() => api.stop())
  const get = await apiAt(port)
  await judgeVerifier(t, issuer, get)
  await judgeBound(t, issuer, get)
  await judgeOutage(t, issuer, get, [401])
})
