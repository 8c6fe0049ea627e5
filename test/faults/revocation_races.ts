/**
 * Revocations against refreshes. Applications refresh one grant at two servers in waves while somebody ends it; from the
 * moment that the ending is acknowledged, whatever anybody got out of the grant must be worth nothing.
 *
 * @see [RFC 7009 §2](https://www.rfc-editor.org/rfc/rfc7009#section-2) the invalidation takes place immediately
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Chance } from '../helpers/random.ts'
import type { Seeder } from '../helpers/seed.ts'
import { type Answer, LOGIN_CLIENT, pairOf, type ServerClient } from '../helpers/server_client.ts'
import type { TwoNodes } from '../helpers/two_nodes.ts'
import { describe } from './journal.ts'

export interface RaceReport {
  readonly races: number
  /** Pairs of tokens that were handed out before the acknowledgement, and refused after it. */
  readonly handed_out: number
  /** Of these, answers that arrived after the acknowledgement: the race was close. */
  readonly crossed: number
  /** Races in which the very first refresh came too late. */
  readonly revoked_first: number
  readonly violations: readonly string[]
}

/** Who is raced for: a grant of its own account, and of its own client where the client is what ends. */
interface Subject {
  readonly account_id: string
  readonly client_id: string
  readonly grant_id: string
  readonly token: (generation?: number) => string
}

interface Ending {
  readonly name: string
  readonly of_own_client?: true
  /** The generation at which the race begins. */
  readonly generation?: number
  end(node: ServerClient, subject: Subject): Promise<Answer>
  readonly acknowledged: readonly number[]
}

const ENDINGS: readonly Ending[] = [
  { name: 'POST /revoke', end: (node, { token }) => node.revoke(token()), acknowledged: [200] },
  // An older token ends the grant, too, but is answered as simplejwt answers one that was rotated away.
  { name: 'blacklist', end: (node, { token }) => node.blacklist(token()), acknowledged: [200, 401] },
  { name: 'admin, one grant', end: (node, it) => node.admin('DELETE', `grants/${it.grant_id}`), acknowledged: [204] },
  {
    name: 'admin, all of an account',
    end: (node, { account_id }) => node.admin('POST', 'revocations', { account: account_id }),
    acknowledged: [200],
  },
  {
    name: 'account disabled',
    end: (node, { account_id }) => node.admin('POST', `accounts/${account_id}/disable`),
    acknowledged: [204],
  },
  {
    name: 'client deleted',
    of_own_client: true,
    end: (node, { client_id }) => node.admin('DELETE', `clients/${client_id}`),
    acknowledged: [204],
  },
  // RFC 9700 §4.14.2: a replay of an old token ends the grant of a client without a secret.
  { name: 'replay', generation: 2, end: (node, { token }) => node.refresh(token(0)), acknowledged: [400] },
]

export const KINDS = ENDINGS.length

/** So that the revocation falls before, into and after the first refreshes. */
const HEAD_START_MS = 40

/** @param concurrency races under way at a time; each has two refreshes in flight */
export async function raceRevocations(
  { nodes, seeder }: Pick<TwoNodes, 'nodes' | 'seeder'>,
  chance: Chance,
  { races, concurrency = 8 }: { races: number; concurrency?: number },
): Promise<RaceReport> {
  const violations: string[] = []
  const total = { handed_out: 0, crossed: 0, revoked_first: 0 }
  let next = 0
  async function lane(): Promise<void> {
    while (next < races) {
      const number = next
      next += 1
      const ending = ENDINGS[number % ENDINGS.length]
      if (ending === undefined) return
      const result = await race(nodes, seeder, chance, ending)
      total.handed_out += result.handed_out
      total.crossed += result.crossed
      total.revoked_first += result.handed_out === 0 ? 1 : 0
      violations.push(...result.violations.map((what) => `race ${number}, ${ending.name}: ${what}`))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, lane))
  return { races, ...total, violations }
}

async function race(nodes: TwoNodes['nodes'], seeder: Seeder, chance: Chance, ending: Ending) {
  const subject = await makeSubject(seeder, ending)
  const { client_id } = subject
  const violations: string[] = []
  const held = { refresh: new Set([subject.token()]), access: new Set<string>() }
  let acknowledged = false
  let handed_out = 0
  let crossed = 0

  const present = (node: ServerClient, token: string) =>
    client_id === LOGIN_CLIENT && chance.whole(2) === 0
      ? node.refreshAtLoginApi(token)
      : node.refresh(token, { client_id })
  /** One refresh, and what came of it. */
  async function refresh(node: ServerClient, token: string): Promise<string | undefined> {
    const sent_too_late = acknowledged
    const answer = await present(node, token)
    const pair = pairOf(answer)
    if (pair === undefined) {
      if (answer.status >= 500) violations.push(`a refresh was answered with ${describe(answer)}`)
      return undefined
    }
    if (sent_too_late) violations.push('a refresh sent after the acknowledgement was granted')
    handed_out += 1
    if (acknowledged) crossed += 1
    held.refresh.add(pair.refresh)
    held.access.add(pair.access)
    return pair.refresh
  }
  // In waves: somebody who fell a generation behind would end the grant as a thief.
  async function refreshUntilRefused(): Promise<void> {
    let token: string | undefined = subject.token()
    while (token !== undefined) {
      const [first, second]: (string | undefined)[] = await Promise.all([
        refresh(nodes[0], token),
        refresh(nodes[1], token),
      ])
      if (first !== undefined && second !== undefined && first !== second)
        violations.push('two successors of one token')
      token = first ?? second
    }
  }
  async function end(): Promise<void> {
    await sleep(chance.next() * HEAD_START_MS)
    const answer = await ending.end(nodes[chance.whole(2) === 0 ? 0 : 1], subject)
    acknowledged = true
    if (!ending.acknowledged.includes(answer.status)) violations.push(`it was answered with ${describe(answer)}`)
  }

  await Promise.all([refreshUntilRefused(), end()])
  for (const node of nodes) {
    for (const token of held.refresh) {
      const answer = await present(node, token)
      if (![400, 401].includes(answer.status)) violations.push(`refreshed afterwards: ${describe(answer)}`)
    }
  }
  for (const token of [...held.refresh, ...held.access]) {
    const answer = await nodes[chance.whole(2) === 0 ? 0 : 1].introspect(token)
    if (answer.status !== 200 || answer.body.active !== false) violations.push(`introspected: ${describe(answer)}`)
  }
  return { violations, handed_out, crossed }
}

async function makeSubject(seeder: Seeder, { of_own_client, generation = 0 }: Ending): Promise<Subject> {
  const client_id = of_own_client ? (await seeder.client({})).client_id : LOGIN_CLIENT
  const username = Buffer.from(seeder.deps.random.bytes(12)).toString('hex')
  const { account_id } = await seeder.account({ username })
  const { grant, token } = await seeder.grant({ account_id, client_id, generation })
  return { account_id, client_id, grant_id: grant.grant_id, token }
}
