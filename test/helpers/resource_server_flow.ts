/** Real tokens for an API: Gatehouse as a process, its command line, and the API beside them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeProtectedHeader } from 'jose'
import type { Test } from 'tap'
import type { Get } from './api_client.ts'
import { runGatehouse, type ServerProcess, startServer } from './process.ts'

export const AUDIENCE = 'https://api.example.com'
export const USER = { username: 'alice', password: 'seven purple otters juggle' }

/**
 * Starts Gatehouse, signs a person in, and shows the tokens to an API before and after its keys rotate.
 *
 * @param startApi starts the API, which is given only these two names
 * @param path where the API answers 200 to a good token
 */
export async function flowWithGatehouse(
  t: Test,
  startApi: (trusted: { issuer: string; audience: string }) => Promise<Get>,
  path: string,
): Promise<void> {
  const server = await startServer(t, { GATEHOUSE_TOKENS__DEFAULT_RESOURCE: AUDIENCE })
  await run(server, ['resources', 'create', AUDIENCE, '--scope', 'read'])
  await run(server, ['users', 'create', USER.username, '--password-stdin'], USER.password)
  const get = await startApi({ issuer: server.issuer, audience: AUDIENCE })

  const first = await signIn(server)
  const me = await get(path, first.access)
  t.equal(me.status, 200, 'the access token of a person who signed in is taken')
  t.match(await me.json(), { iss: server.issuer, aud: AUDIENCE })
  t.equal((await get(path, first.refresh)).status, 401, 'the refresh token is refused')

  const second = await signInWith(server, await rotate(server))
  t.equal((await get(path, second.access)).status, 200, 'after a rotation the new token is taken')
  t.equal((await get(path, first.access)).status, 200, 'and the one before it, until it expires')

  const third = await signInWith(server, await rotate(server, '--emergency'))
  const taken = async () => (await statuses(get, path, third.access)).every((status) => status === 200)
  t.ok(await inTime(taken), 'after an emergency the new token is taken')
  const forgotten = async () =>
    (await taken()) && (await statuses(get, path, second.access)).every((status) => status === 401)
  t.ok(await inTime(forgotten), 'and none before it, once the API has seen the new key')
}

export interface TokenPair {
  readonly access: string
  readonly refresh: string
}

/** By the login API. */
export async function signIn(server: ServerProcess, user: Readonly<Record<string, string>> = USER): Promise<TokenPair> {
  const response = await fetch(`${server.issuer}/api/token/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(user),
  })
  const body: unknown = await response.json()
  if (!isTokenPair(body)) throw new Error(`the login API answered ${response.status} ${JSON.stringify(body)}`)
  return body
}

function isTokenPair(body: unknown): body is TokenPair {
  return typeof body === 'object' && body !== null && 'access' in body && 'refresh' in body
}

/** @returns the kid of the key that signs now */
async function rotate(server: ServerProcess, ...options: string[]): Promise<string> {
  const rotated: unknown = JSON.parse(await run(server, ['keys', 'rotate', '--json', ...options]))
  if (typeof rotated !== 'object' || rotated === null || !('kid' in rotated)) throw new Error('no kid')
  return String(rotated.kid)
}

/** The command has changed the database; the server reads it within a second or so. */
async function signInWith(server: ServerProcess, kid: string): Promise<TokenPair> {
  let tokens = await signIn(server)
  const signed = async () => {
    if (decodeProtectedHeader(tokens.access).kid === kid) return true
    tokens = await signIn(server)
    return false
  }
  if (!(await inTime(signed))) throw new Error('the server does not sign with the new key')
  return tokens
}

/** Several at once: an API may have several workers, each with keys of its own. */
async function statuses(get: Get, path: string, token: string): Promise<number[]> {
  const responses = await Promise.all(Array.from({ length: 8 }, () => get(path, token)))
  return responses.map(({ status }) => status)
}

/** Waits, but not for ever. @returns whether it came true */
export async function inTime(condition: () => Promise<boolean>): Promise<boolean> {
  const deadline = performance.now() + 15_000
  while (performance.now() < deadline) {
    if (await condition()) return true
    await sleep(200)
  }
  return false
}

/** A command of the operator's. @throws with its output when it fails */
export async function run(server: ServerProcess, args: readonly string[], input = ''): Promise<string> {
  const { code, stdout, stderr } = await runGatehouse(args, server.env, input)
  if (code !== 0) throw new Error(`gatehouse ${args.join(' ')} ended with ${code}:\n${stdout}${stderr}`)
  return stdout
}
