import { maskDatabase } from '../../config/describe.ts'
import type { Config } from '../../config/schema.ts'
import { isDemoOn } from '../demo/client.ts'
import type { Served } from '../main.ts'
import { packageVersion } from './version.ts'

/** What a person needs to know once the server listens. */
export function welcome(config: Config, { deps, setup_url }: Served): string {
  const active = deps.keys.list().find((key) => key.state === 'active')
  const demo: [string, string][] = isDemoOn(config) ? [['Demo', `${config.issuer}/demo`]] : []
  const facts: [name: string, value: string][] = [
    ['Issuer', config.issuer],
    ['Discovery', `${config.issuer}/.well-known/openid-configuration`],
    ['Database', maskDatabase(config.database)],
    ['Signing key', active === undefined ? 'none yet' : `${active.kid} (${active.alg})`],
    ...demo,
  ]
  const setup =
    setup_url === undefined
      ? ''
      : `
Set up the first administrator here, once and within the hour (for a new link: gatehouse setup-link):
  ${setup_url}
`
  return `
Gatehouse ${packageVersion()} is ready.

${facts.map(([name, value]) => `  ${name.padEnd(13)}${value}`).join('\n')}
${setup}
Try the whole of it: npx gatehouse quickstart

`
}
