/** The journal against the server that has come back: nothing acknowledged is lost, nothing else is there by halves. */
import { type Answer, pairOf } from '../helpers/server_client.ts'
import { advance, describe, heldBy, type Newcomer, type Session } from './journal.ts'
import type { World } from './load.ts'

/** Since where the lists of the journal are new. */
export interface Since {
  readonly ended: number
  readonly newcomers: number
  readonly revoked_access: number
  readonly own_tokens: number
}

/** @param since of the load that the crash ended; zeros: check everything that ever was */
export async function checkJournal(world: World, since: Since): Promise<void> {
  const { journal, client } = world
  await Promise.all(journal.live.map((_, application) => checkLive(world, application)))
  for (const session of journal.ended.slice(since.ended)) await checkEnded(world, session)
  for (const newcomer of journal.newcomers.slice(since.newcomers)) await checkNewcomer(world, newcomer)
  for (const token of journal.revoked_access.slice(since.revoked_access)) {
    if (await isActive(world, token)) journal.violations.push('a revoked access token is active')
  }
  for (const token of journal.own_tokens.slice(since.own_tokens)) {
    if (!(await isActive(world, token))) journal.violations.push("a client's own token is not active")
  }
  const known = journal.newcomers.slice(since.newcomers).find(({ created }) => created === 'acknowledged')
  if (known === undefined) return
  const answer = await client.logIn(known.email, world.password)
  const expected = known.disabled === 'no' ? 200 : 401
  // An unanswered disabling has been settled by now.
  if (answer.status !== expected) journal.violations.push(`a newcomer's sign-in: ${describe(answer)}`)
}

/** An honest application goes on with what it holds. */
async function checkLive(world: World, application: number): Promise<void> {
  const { client, journal, chance } = world
  const session = journal.live[application]
  if (session === undefined) return
  const complain = (what: string) => journal.violations.push(`application ${application}: ${what}`)
  const leave = (ended: boolean) => {
    journal.live[application] = undefined
    if (ended) journal.ended.push(session)
  }
  const ending = session.pending === 'end'
  const active = session.access === undefined ? undefined : await isActive(world, session.access)
  if (active === false && !ending) complain('an acknowledged access token is not active')

  const held = heldBy(session)
  const answer = await client.refresh(held)
  const pair = pairOf(answer)
  if (ending && active !== undefined && active !== (pair !== undefined)) complain('the session was ended by halves')
  if (pair === undefined) {
    if (!ending) complain(`signed out by a crash: ${describe(answer)}`)
    return leave(ending)
  }
  advance(session, pair)
  const again = await client.refreshAtLoginApi(held)
  if (pairOf(again)?.refresh !== pair.refresh) complain(`a retry got another successor: ${describe(again)}`)

  const older = session.refresh.at(-3)
  if (older === undefined || chance.whole(8) > 0) return
  const replayed = await client.refresh(older)
  if (!isRefusal(replayed)) complain(`an old token was answered with ${describe(replayed)}`)
  leave(true)
}

async function checkEnded(world: World, session: Session): Promise<void> {
  const { client, journal } = world
  for (const token of session.refresh.slice(-2)) {
    const answers = [await client.refresh(token), await client.refreshAtLoginApi(token)]
    if (!answers.every(isRefusal)) journal.violations.push(`an ended session goes on: ${answers.map(describe).join()}`)
  }
  if (session.access !== undefined && (await isActive(world, session.access))) {
    journal.violations.push('the access token of an ended session is active')
  }
}

/** All of the account or nothing; and all of its disabling, which includes its session. */
async function checkNewcomer({ client, journal }: World, newcomer: Newcomer): Promise<void> {
  const complain = (what: string) => journal.violations.push(`${newcomer.username}: ${what}`)
  const found = await client.admin('GET', `accounts/${newcomer.username}`)
  const by_email = await client.admin('GET', `accounts/${newcomer.email}`)
  if (found.status !== by_email.status) complain('half an account')
  if (found.status !== 200) {
    if (newcomer.created === 'acknowledged') complain(`an acknowledged account is gone: ${describe(found)}`)
    return
  }
  newcomer.created = 'acknowledged'
  const disabled = found.body.disabled_at !== null
  if (newcomer.disabled === 'acknowledged' && !disabled) complain('an acknowledged disabling is gone')
  if (newcomer.session === undefined) return
  const grant = await client.admin('GET', `grants/${newcomer.session.grant_id}`)
  if (grant.status !== 200) complain(`an acknowledged session is gone: ${describe(grant)}`)
  else if ((grant.body.revoked_at !== null) !== disabled) complain('disabled by halves')
  if (newcomer.disabled === 'sent' && disabled) journal.ended.push(newcomer.session)
  newcomer.disabled = disabled ? 'acknowledged' : 'no'
}

async function isActive({ client, journal }: World, token: string): Promise<boolean> {
  const answer = await client.introspect(token)
  if (answer.status !== 200) journal.violations.push(`introspection answered with ${describe(answer)}`)
  return answer.body.active === true
}

function isRefusal({ status }: Answer): boolean {
  return status === 400 || status === 401
}
