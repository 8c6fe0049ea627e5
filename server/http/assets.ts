import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, extname, join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { ScriptName, Shell } from '../../web/pages/layout.ts'

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}
const HASH_LENGTH = 16

/**
 * Serves the pages' static files from memory. Their paths carry a hash of their content, so that they may be kept for
 * ever and a new version is seen at once.
 *
 * @param base the issuer's path, which is what `app` is mounted below
 * @see [RFC 8246](https://www.rfc-editor.org/rfc/rfc8246) `immutable`
 */
export function serveAssets(app: FastifyInstance, base: string): Shell {
  const folder = staticFolder()
  const serve = (name: string): string => {
    const content = readFileSync(join(folder, name))
    const hash = createHash('sha256').update(content).digest('base64url').slice(0, HASH_LENGTH)
    const extension = extname(name)
    const path = `/assets/${name.slice(0, -extension.length)}.${hash}${extension}`
    app.get(path, (_request, reply) =>
      reply
        .type(TYPES[extension] ?? 'application/octet-stream')
        .header('cache-control', 'public, max-age=31536000, immutable')
        .send(content),
    )
    return `${base}${path}`
  }
  const script = (name: ScriptName) => serve(`${name}.js`)
  return {
    stylesheet: serve('gatehouse.css'),
    logo: serve('logo.svg'),
    scripts: { show_password: script('show_password'), submit_form: script('submit_form'), go_on: script('go_on') },
  }
}

/** In the package's root, which is nearer from the sources than from `dist`. */
function staticFolder(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return join(folder, 'web/static')
  }
  throw new Error('the folder web/static is missing: install Gatehouse again')
}
