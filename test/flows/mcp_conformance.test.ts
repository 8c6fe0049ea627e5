/** @modelcontextprotocol/conformance, unchanged: what its scenarios ask of an authorization server. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { type ServedClients, serveClients } from '../helpers/clients.ts'
import { MCP_SCOPES, NATIVE_CLIENT, SELF_REGISTRATION, serveMcp } from '../helpers/mcp.ts'
import { freePort, temporaryDirectory } from '../helpers/process.ts'

const TOOL = join(import.meta.dirname, '../../node_modules/.bin/conformance')

/** Every check of every scenario. A new version of the tool that knows more fails the first test below. */
const SCENARIOS = ['authorization-server-metadata-endpoint', 'authorization-code-grant']
const GREEN = {
  'authorization-server-metadata': 'SUCCESS',
  'authorization-server-metadata-cimd': 'SUCCESS',
  'authorization-code-grant': 'SUCCESS',
}

const port = await freePort()
const at_root = await serveClients(t, SELF_REGISTRATION)
const notes = await serveMcp(t, at_root)

interface Run {
  readonly code: number | null
  /** By the id of the check. */
  readonly statuses: Record<string, string>
  readonly output: string
}

/** Runs the tool to its end. Where it asks a person to open an address, alice does. */
async function conformance(args: readonly string[], { issuer, visit }: ServedClients = at_root): Promise<Run> {
  const directory = temporaryDirectory(t)
  const given = [TOOL, ...args, '--url', issuer, '--port', String(port), '--output-dir', directory]
  const child = spawn(process.execPath, given, { stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  const lines: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => lines.push(text))
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (!line.startsWith(`${issuer}/authorize?`)) continue
    const landing = await visit(line)
    if (landing.left) {
      // Where a browser would have ended: at the listener of the tool.
      await (await fetch(landing.url)).arrayBuffer()
    } else {
      lines.push(`alice was left with ${landing.statusCode}: ${landing.body}`)
      child.kill()
    }
  }
  await closed
  const files = readdirSync(directory, { recursive: true, encoding: 'utf8' })
  const checks = files
    .filter((file) => file.endsWith('checks.json'))
    .flatMap((file): { id: string; status: string }[] => JSON.parse(readFileSync(join(directory, file), 'utf8')))
  const statuses = Object.fromEntries(checks.map(({ id, status }) => [id, status]))
  return { code: child.exitCode, statuses, output: lines.join('\n') }
}

/** A client that has registered itself, as one of the protocol does. */
async function register({ issuer }: ServedClients = at_root): Promise<string> {
  const redirect_uris = [`http://127.0.0.1:${port}/callback`]
  const response = await fetch(`${issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ ...NATIVE_CLIENT, redirect_uris }),
  })
  const { client_id }: { client_id: string } = JSON.parse(await response.text())
  return client_id
}

t.test('the tool has the scenarios that are run here, and no others', async (t) => {
  const child = spawn(process.execPath, [TOOL, 'list', '--authorization'], { stdio: ['ignore', 'pipe', 'inherit'] })
  const names: string[] = []
  for await (const line of createInterface(child.stdout)) names.push(/^ +- ([a-z-]+)/.exec(line)?.[1] ?? '')
  t.same(
    names.filter((name) => name !== ''),
    SCENARIOS,
  )
})

t.test('every scenario is green for a client that registered itself, with a resource', async (t) => {
  const run = await conformance(['authorization', '--client-id', await register(), '--resource', notes.resource])
  t.same(run.statuses, GREEN, { output: run.output })
  t.equal(run.code, 0)
})

t.test('every scenario is green for a client of the operator, without a resource', async (t) => {
  const redirect_uris = [`http://127.0.0.1:${port}/callback`]
  const { client_id } = await at_root.webClient({ redirect_uris, scope: MCP_SCOPES.join(' ') })
  const run = await conformance(['authorization', '--client-id', client_id])
  t.same(run.statuses, GREEN, { output: run.output })
  t.equal(run.code, 0)
})

t.test('RFC 8414 §3.1: every scenario is green for an issuer with a path', async (t) => {
  const GATEHOUSE_PORT = String(await freePort())
  const GATEHOUSE_ISSUER = `http://localhost:${GATEHOUSE_PORT}/tenant`
  const below = await serveClients(t, { ...SELF_REGISTRATION, GATEHOUSE_PORT, GATEHOUSE_ISSUER })
  const run = await conformance(['authorization', '--client-id', await register(below)], below)
  t.same(run.statuses, GREEN, { output: run.output })
  t.equal(run.code, 0)
})

t.test('the tool is red where it should be: a resource that nobody registered, another issuer', async (t) => {
  const redirect_uris = [`http://127.0.0.1:${port}/callback`]
  const { client_id } = await at_root.webClient({ redirect_uris, scope: MCP_SCOPES.join(' ') })
  const unknown = ['--client-id', client_id, '--resource', 'https://unknown.example/mcp']
  const refused = await conformance(['authorization', ...unknown])
  t.same(refused.statuses, { ...GREEN, 'authorization-code-grant': 'FAILURE' })
  t.match(refused.output, '1 failed')
  t.equal(refused.code, 1)
  const elsewhere = { ...at_root, issuer: at_root.issuer.replace('localhost', '127.0.0.1') }
  const mistaken = await conformance(['authorization', '--scenario', SCENARIOS[0] ?? ''], elsewhere)
  t.equal(mistaken.statuses['authorization-server-metadata'], 'FAILURE')
  t.equal(mistaken.code, 1)
})
