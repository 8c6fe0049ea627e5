/** What `gatehouse snippet rails` prints, as it is printed, with Debian's ruby-jwt and a controller without Rails. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { startProgram } from '../helpers/child_process.ts'
import { freePort, temporaryDirectory } from '../helpers/process.ts'
import { apiAt, judgeBound, judgeOutage, judgeVerifier, writeSnippet } from '../helpers/snippets.ts'
import { startStandInIssuer } from '../helpers/stand_in_issuer.ts'

const found = spawnSync('ruby', ['-e', 'require "jwt"'], { stdio: 'ignore' })
const skip = found.status === 0 ? false : 'there is no Ruby with the gem jwt'
if (skip) process.stderr.write(`test/snippets/ruby.test.ts SKIPPED: ${skip}\n`)

t.test('RFC 9068 §4, RFC 6750 §3: rails', { skip }, async (t) => {
  const issuer = await startStandInIssuer(t)
  const folder = await writeSnippet('rails', temporaryDirectory(t), issuer)
  const port = await freePort()
  const args = [join(import.meta.dirname, 'ruby/server.rb'), String(port), join(folder, 'access_token.rb')]
  const api = await startProgram({
    command: 'ruby',
    args: ['-e', '$stdout.puts "started"; $stdout.flush; load ARGV.shift', ...args],
    ready: /started/,
  })
  t.teardown(() => api.stop())
  const get = await apiAt(port)
  await judgeVerifier(t, issuer, get)
  await judgeBound(t, issuer, get)
  await judgeOutage(t, issuer, get, [401])
})
