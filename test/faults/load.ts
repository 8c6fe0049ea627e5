/** The mixed load of a crash run: applications that each do one thing after another, until nobody answers. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chance } from '../helpers/random.ts'
import { type Answer, pairOf, type ServerClient } from '../helpers/server_client.ts'
import { advance, ask, describe, heldBy, type Journal, type Newcomer, startSession, Unanswered } from './journal.ts'

export interface World {
  readonly client: ServerClient
  readonly journal: Journal
  readonly chance: Chance
  /** That of everybody. */
  readonly password: string
  readonly password_hash: string
}

/** The account that an application signs in with. */
export function usernameOf(application: number): string {
  return `user${application}`
}

/** @returns when every application has met a server that does not answer */
export async function runLoad(world: World): Promise<void> {
  await Promise.all(world.journal.live.map((_, application) => runApplication(world, application)))
}

/** Outside of the load, or it would be hardly more than the hashing of passwords. */
export async function signInAgain(world: World): Promise<void> {
  for (const [application, session] of world.journal.live.entries()) {
    if (session === undefined) await logIn(world, application)
  }
}

async function runApplication(world: World, application: number): Promise<void> {
  try {
    for (;;) await doSomething(world, application)
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error
  }
}

async function doSomething(world: World, application: number): Promise<void> {
  const dice = world.chance.next()
  if (world.journal.live[application] === undefined) return logIn(world, application)
  if (dice < 0.6) return refresh(world, application)
  if (dice < 0.8) return refreshTwice(world, application)
  if (dice < 0.85) return endSession(world, application)
  if (dice < 0.9) return revokeAccessToken(world, application)
  if (dice < 0.95) return clientCredentials(world)
  if (dice < 0.985) return void (await createAccount(world))
  return dismissNewcomer(world)
}

async function logIn({ client, journal, password }: World, application: number): Promise<void> {
  const answer = await ask(journal, client.logIn(usernameOf(application), password))
  const pair = pairOf(answer)
  if (pair === undefined) journal.violations.push(`a sign-in was refused: ${describe(answer)}`)
  else journal.live[application] = startSession(pair)
}

function present({ client, chance }: World, token: string): Promise<Answer> {
  return chance.whole(2) === 0 ? client.refresh(token) : client.refreshAtLoginApi(token)
}

async function refresh(world: World, application: number): Promise<void> {
  const { journal } = world
  const session = journal.live[application]
  if (session === undefined) return
  session.pending = 'refresh'
  const answer = await ask(journal, present(world, heldBy(session)))
  const pair = pairOf(answer)
  if (pair !== undefined) return advance(session, pair)
  journal.violations.push(`an honest application was signed out: ${describe(answer)}`)
  journal.live[application] = undefined
}

/** An application that has not waited long enough for its answer, and two tabs of one. */
async function refreshTwice(world: World, application: number): Promise<void> {
  const { journal, chance } = world
  const session = journal.live[application]
  if (session === undefined) return
  session.pending = 'refresh'
  const token = heldBy(session)
  const impatience = chance.next() * 6
  const both = [
    ask(journal, present(world, token)),
    sleep(impatience).then(() => ask(journal, present(world, token))),
  ] as const
  const settled = await Promise.allSettled(both)
  const pairs = settled.flatMap((one) => (one.status === 'fulfilled' ? [pairOf(one.value)] : []))
  const [first, second] = pairs
  if (pairs.includes(undefined)) journal.violations.push('an honest application was signed out by its retry')
  if (first !== undefined && second !== undefined && first.refresh !== second.refresh) {
    journal.violations.push('a retry got another successor')
  }
  const last = second ?? first
  if (last !== undefined) advance(session, last)
  await Promise.all(both)
}

async function endSession({ client, journal, chance }: World, application: number): Promise<void> {
  const session = journal.live[application]
  if (session === undefined) return
  const end = () => {
    const way = chance.whole(3)
    if (way === 0) return client.revoke(heldBy(session))
    return way === 1 ? client.blacklist(heldBy(session)) : client.admin('DELETE', `grants/${session.grant_id}`)
  }
  session.pending = 'end'
  const answer = await ask(journal, end())
  if (answer.status >= 400) journal.violations.push(`a revocation was refused: ${describe(answer)}`)
  session.pending = undefined
  journal.ended.push(session)
  journal.live[application] = undefined
}

async function revokeAccessToken({ client, journal }: World, application: number): Promise<void> {
  const session = journal.live[application]
  const token = session?.access
  if (session === undefined || token === undefined) return
  // Given up from here on, whether or not the server ever says so.
  session.access = undefined
  await ask(journal, client.revoke(token))
  journal.revoked_access.push(token)
}

async function clientCredentials({ client, journal }: World): Promise<void> {
  const { status, body } = await ask(journal, client.clientCredentials())
  if (status === 200 && typeof body.access_token === 'string') journal.own_tokens.push(body.access_token)
  else journal.violations.push(`client credentials were refused: ${status}`)
}

async function createAccount({ client, journal, password_hash }: World): Promise<Newcomer> {
  journal.counts.newcomers += 1
  const username = `newcomer${journal.counts.newcomers}`
  const email = `${username}@example.com`
  const newcomer: Newcomer = { username, email, created: 'sent', disabled: 'no', session: undefined }
  journal.newcomers.push(newcomer)
  const answer = await ask(journal, client.admin('POST', 'accounts', { username, email, password_hash }))
  if (answer.status === 201) newcomer.created = 'acknowledged'
  else journal.violations.push(`an account was not created: ${describe(answer)}`)
  return newcomer
}

/** Comes, signs in, and is disabled: which ends the session as well, in the same commit. */
async function dismissNewcomer(world: World): Promise<void> {
  const { client, journal, password } = world
  const newcomer = await createAccount(world)
  const pair = pairOf(await ask(journal, client.logIn(newcomer.username, password)))
  if (pair === undefined) {
    journal.violations.push('a newcomer could not sign in')
    return
  }
  newcomer.session = startSession(pair)
  newcomer.disabled = 'sent'
  const answer = await ask(journal, client.admin('POST', `accounts/${newcomer.username}/disable`))
  if (answer.status !== 204) journal.violations.push(`an account was not disabled: ${describe(answer)}`)
  newcomer.disabled = 'acknowledged'
  journal.ended.push(newcomer.session)
}
