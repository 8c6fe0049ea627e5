#!/usr/bin/env -S node --max-semi-space-size=4
// The launcher. Its syntax is that of Node 12, so that a Node which is too old can read it and say so. A small young
// generation keeps an idle server under 120 MB.

const NEEDED = 24

if (Number(process.versions.node.split('.')[0]) < NEEDED) {
  process.stderr.write(`Gatehouse needs Node ${NEEDED} or newer; this is Node ${process.versions.node} (${process.execPath}).
In a clone, \`npm ci\` brings the right one, and \`npm start\` and \`npx gatehouse …\` find it.
Elsewhere, install a newer one: https://nodejs.org
`)
  process.exitCode = 2
} else {
  launch()
}

function launch() {
  const { existsSync } = require('node:fs')
  const { join } = require('node:path')
  const { pathToFileURL } = require('node:url')

  // libuv reads this when its pool starts. Hashing passwords must leave threads for signing and for files.
  if (!process.env.UV_THREADPOOL_SIZE) {
    process.env.UV_THREADPOOL_SIZE = String(Math.max(4, require('node:os').availableParallelism() + 2))
  }

  // A clone runs its sources, compiled when it was installed; a published package holds what was built from them.
  const source = join(__dirname, '../server/cli/index.ts')
  const isClone = existsSync(source)
  require('node:module').enableCompileCache(isClone ? join(__dirname, '../node_modules/.cache/gatehouse') : undefined)
  const entry = isClone ? source : join(__dirname, '../dist/server/cli/index.js')
  import(pathToFileURL(entry).href)
    .then((cli) => cli.main(process.argv.slice(2)))
    .then(
      (code) => {
        process.exitCode = code
      },
      (error) => {
        process.stderr.write(`${error instanceof Error ? error.stack : error}\n`)
        process.exitCode = 1
      },
    )
}
