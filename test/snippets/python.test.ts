/** What `gatehouse snippet` prints for Python, as it is printed. */
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { apiClient } from '../helpers/api_client.ts'
import { startProgram } from '../helpers/child_process.ts'
import { freePort, temporaryDirectory } from '../helpers/process.ts'
import { INSTALL_SECONDS, pythonPackages } from '../helpers/python.ts'
import { apiAt, judgeBound, judgeOutage, judgeVerifier, writeSnippet } from '../helpers/snippets.ts'
import { startStandInIssuer } from '../helpers/stand_in_issuer.ts'

const SITE = join(import.meta.dirname, 'django_site')
const ENVIRONMENT = new URL('../../.python/snippets', import.meta.url).pathname

t.setTimeout((INSTALL_SECONDS + 60) * 1_000)
const python = await pythonPackages(join(import.meta.dirname, 'requirements.txt'), ENVIRONMENT)

if ('unavailable' in python) {
  const said = `SKIPPED: no Python packages: ${python.unavailable}`
  process.stderr.write(`test/snippets/python.test.ts ${said}\n`)
  t.pass('Django and FastAPI', { skip: said })
} else {
  const { bin } = python
  const env = { PYTHONDONTWRITEBYTECODE: '1' }

  t.test('RFC 9068 §4, RFC 6750 §3: fastapi', async (t) => {
    const issuer = await startStandInIssuer(t)
    const cwd = await writeSnippet('fastapi', temporaryDirectory(t), issuer)
    const port = await freePort()
    const args = ['api:app', '--port', String(port)]
    const api = await startProgram({ command: join(bin, 'uvicorn'), args, cwd, env, ready: /startup complete/ })
    t.teardown(() => api.stop())
    const get = await apiAt(port)
    await judgeVerifier(t, issuer, get)
    await judgeBound(t, issuer, get)
    await judgeOutage(t, issuer, get, [401, 503])
  })

  t.test('RFC 9068 §4, RFC 6750 §3: django', async (t) => {
    const issuer = await startStandInIssuer(t)
    const cwd = await writeSnippet('django', temporaryDirectory(t), issuer)
    cpSync(SITE, cwd, { recursive: true })
    const args = ['site_wsgi', '--bind=127.0.0.1:0', '--no-control-socket']
    const api = await startProgram({ command: join(bin, 'gunicorn'), args, cwd, env, ready: /Listening at: (\S+)/ })
    t.teardown(() => api.stop())
    const get = apiClient(String(api.match[1]))
    await judgeVerifier(t, issuer, get)
    await judgeBound(t, issuer, get)
    await judgeOutage(t, issuer, get, [401])
  })
}
