// `npm ci` runs this in a clone: it brings a server up once, in memory and without a port, so that the first real start
// neither strips types nor compiles. Without it everything works, a little later and with a little more memory.

const { mkdtempSync, rmSync } = require('node:fs')
const { tmpdir } = require('node:os')
const { join } = require('node:path')
const { pathToFileURL } = require('node:url')

require('node:module').enableCompileCache(join(__dirname, '../node_modules/.cache/gatehouse'))

const load = (module) => import(pathToFileURL(join(__dirname, '..', module)).href)

async function warm() {
  const data_dir = mkdtempSync(join(tmpdir(), 'gatehouse-'))
  try {
    await Promise.all(['server/cli/index.ts', 'server/cli/serve.ts', 'server/cli/welcome.ts'].map(load))
    const { loadConfig } = await load('config/load.ts')
    const { openDeps } = await load('server/main.ts')
    const { buildApp } = await load('server/app.ts')
    const flags = { data_dir, database: 'sqlite::memory:', 'log.level': 'fatal' }
    const deps = await openDeps(loadConfig({ flags, env: {}, cwd: data_dir }).config)
    const app = await buildApp(deps)
    await app.inject('/readyz')
    await app.close()
    await deps.store.close()
  } finally {
    rmSync(data_dir, { recursive: true, force: true })
  }
}

// An older Node cannot read TypeScript; the launcher says so when it matters.
warm().catch(() => undefined)
