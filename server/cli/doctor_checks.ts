import type { Config } from '../../config/schema.ts'
import { type Cli, loadConfiguration } from './cli.ts'
import { examineDatabase } from './doctor_database.ts'
import { examineServer } from './doctor_server.ts'
import { type Finding, fail, ok } from './findings.ts'

/** Everything that the doctor looks at, in the order in which one thing rests on another. */
export async function examine(cli: Cli): Promise<Finding[]> {
  const config = await readConfiguration(cli)
  if ('status' in config) return [config]
  const database = await examineDatabase(config, Math.floor(cli.io.now() / 1000))
  const server = await examineServer(config, cli.io, database.active_kid)
  return [ok('configuration', 'it can be used'), examineIssuer(config), ...database.findings, ...server]
}

async function readConfiguration(cli: Cli): Promise<Config | Finding> {
  try {
    return (await loadConfiguration(cli)).config
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return fail(
      'configuration',
      message,
      'Correct it; `gatehouse config print --sources` shows where values come from.',
    )
  }
}

function examineIssuer({ issuer }: Config): Finding {
  const { protocol, hostname } = new URL(issuer)
  if (protocol === 'https:') return ok('issuer', `${issuer} is https`)
  if (['localhost', '127.0.0.1', '[::1]'].includes(hostname))
    return ok('issuer', `${issuer} is on loopback, for trying out`)
  return fail(
    'issuer',
    `${issuer} is plain http`,
    'Put a proxy with TLS in front, and give its https URL as the issuer.',
  )
}
