import { availableParallelism } from 'node:os'
import type { Requests } from './load.ts'
import { median, POOL_SIZE } from './measure.ts'
import { AUTHORIZATION_QUERY, CLIENT_ID, EXCHANGE, type Neighbour, SCOPE } from './neighbour.ts'
import { inTurns, type Measured, measureLimit, measureLoad, medianOf, type Rig, type Round } from './rig.ts'
import { PASSWORD } from './seed.ts'
import { type Line, milliseconds, perSecond } from './table.ts'

const ROUNDS = 5
const REFRESH_CONNECTIONS = 64
const LOGIN_CONNECTIONS = 8
const JWKS_CONNECTIONS = 16
/** As the server's own gate: one core is left for everything else. */
const HASHES_AT_ONCE = Math.max(1, availableParallelism() - 1)

/** `/token` with `grant_type=refresh_token`, one signature and one durable commit each, beside bare RS256 signatures. */
export async function benchRefresh(rig: Rig, engine: string): Promise<Line[]> {
  const bytes = await signingInputBytes(rig)
  const rounds = await inTurns(
    ROUNDS,
    (seconds) => measureLimit(rig, { kind: 'sign', bytes, concurrency: 2 * POOL_SIZE, seconds }),
    (seconds) =>
      measureLoad(rig, {
        requests: { kind: 'refresh', tokens: rig.tokens },
        connections: REFRESH_CONNECTIONS,
        seconds,
      }),
  )
  const [limit, subject] = mediansOf(rounds)
  return [
    {
      what: `refresh, ${engine}: CPU`,
      reached: milliseconds(subject.cpu),
      limit: `${milliseconds(limit.cpu)} (RS256 signature)`,
      ratio: ratioOf(rounds, 'cpu'),
      goal: '≤ 1.4',
    },
    throughput(`refresh, ${engine}`, rounds, 'RS256 signatures', '≥ 0.6'),
  ]
}

/** `POST /api/token/` beside bare argon2id with the same parameters, as many at once as the server's gate lets in. */
export async function benchLogin(rig: Rig): Promise<Line> {
  const { password_hash: hash, usernames } = rig.seeded
  const rounds = await inTurns(
    ROUNDS,
    (seconds) => measureLimit(rig, { kind: 'verify', hash, concurrency: HASHES_AT_ONCE, seconds }),
    (seconds) =>
      measureLoad(rig, {
        requests: { kind: 'login', usernames, password: PASSWORD },
        connections: LOGIN_CONNECTIONS,
        seconds,
      }),
  )
  return throughput('login', rounds, 'argon2id hashes', '≥ 0.9')
}

/**
 * A sign-in to a client while the session is there: the authorization request and the exchange of its code, with the
 * signatures of an access token and an ID token.
 */
export async function benchCodeFlow(rig: Rig): Promise<Line[]> {
  const bytes = await signingInputBytes(rig)
  const rounds = await inTurns(
    ROUNDS,
    (seconds) => measureLimit(rig, { kind: 'sign', bytes, concurrency: 2 * POOL_SIZE, seconds }),
    (seconds) => measureLoad(rig, { requests: codeFlow(rig), connections: REFRESH_CONNECTIONS, seconds }),
  )
  const halved = rounds.map(({ limit, subject }) => ({
    limit: { ...limit, per_second: limit.per_second / 2, cpu: limit.cpu * 2 },
    subject,
  }))
  return [throughput('code flow', halved, 'pairs of RS256 signatures', '≥ 0.5')]
}

/** Refreshes and code flows beside oidc-provider with its in-memory adapter. */
export async function benchNeighbour(rig: Rig, neighbour: Neighbour): Promise<Line[]> {
  const { pid, port, flow } = neighbour
  let tokens = neighbour.tokens
  const theirs = { pid, port }
  const refreshes = await inTurns(
    ROUNDS,
    async (seconds) => {
      const requests = { kind: 'refresh', tokens } as const
      const measured = await measureLoad(rig, { requests, connections: REFRESH_CONNECTIONS, seconds }, theirs)
      tokens = measured.tokens
      return measured
    },
    (seconds) =>
      measureLoad(rig, {
        requests: { kind: 'refresh', tokens: rig.tokens },
        connections: REFRESH_CONNECTIONS,
        seconds,
      }),
  )
  const flows = await inTurns(
    ROUNDS,
    (seconds) =>
      measureLoad(rig, { requests: { kind: 'code', ...flow }, connections: REFRESH_CONNECTIONS, seconds }, theirs),
    (seconds) => measureLoad(rig, { requests: codeFlow(rig), connections: REFRESH_CONNECTIONS, seconds }),
  )
  return [
    throughput('refresh, beside oidc-provider', refreshes, 'oidc-provider', '≥ 2'),
    throughput('code flow, beside oidc-provider', flows, 'oidc-provider', '≥ 2'),
  ]
}

function codeFlow(rig: Rig): Requests {
  return {
    kind: 'code',
    authorize: `/authorize?${AUTHORIZATION_QUERY}`,
    cookie: rig.seeded.cookie,
    exchange: EXCHANGE,
  }
}

/** UserInfo, introspection and a device's polling: UserInfo and introspection verify a signature and read, a poll is a commit. */
export async function benchResources(rig: Rig): Promise<Line[]> {
  const access_token = await firstAccessToken(rig)
  const { device_code } = await postForm(rig, '/device_authorization', { client_id: CLIENT_ID, scope: SCOPE })
  const { port } = await rig.limits.ask({ kind: 'route', bytes: 512 })
  const constant = { port, pid: rig.limits.pid }
  const get = { kind: 'get', path: '/constant' } as const
  const connections = JWKS_CONNECTIONS
  const route = (seconds: number) => measureLoad(rig, { requests: get, connections, seconds }, constant)
  const { basic } = rig.seeded
  const subjects = {
    userinfo: { kind: 'get', path: '/userinfo', authorization: `Bearer ${access_token}` },
    introspection: { kind: 'post', path: '/introspect', body: `token=${access_token}`, authorization: basic },
  } as const
  const lines: Line[] = []
  for (const [what, requests] of Object.entries(subjects)) {
    const rounds = await inTurns(ROUNDS, route, (seconds) => measureLoad(rig, { requests, connections, seconds }))
    lines.push(throughput(what, rounds, 'constant route', ''))
  }
  const body = new URLSearchParams({
    grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
    client_id: CLIENT_ID,
    device_code: device_code ?? '',
  }).toString()
  const poll = { kind: 'post', path: '/token', body } as const
  const rounds = await inTurns(
    ROUNDS,
    (seconds) => measureLimit(rig, { kind: 'commit', folder: rig.data_dir, seconds }),
    // authorization_pending or slow_down: 400 either way.
    (seconds) => measureLoad(rig, { requests: poll, connections, seconds }, undefined, 400),
  )
  lines.push(throughput('device polling', rounds, 'commits one by one', ''))
  return lines
}

/** From a code flow, so that it is for UserInfo as well. */
async function firstAccessToken(rig: Rig): Promise<string> {
  const url = `http://127.0.0.1:${rig.port}/authorize?${AUTHORIZATION_QUERY}`
  const answer = await fetch(url, { redirect: 'manual', headers: { cookie: rig.seeded.cookie } })
  const location = URL.parse(answer.headers.get('location') ?? '')
  const code = location?.searchParams.get('code') ?? ''
  const { access_token } = await postForm(rig, '/token', Object.fromEntries(new URLSearchParams(`${EXCHANGE}${code}`)))
  if (access_token === undefined) throw new Error('the first code flow was refused')
  return access_token
}

async function postForm(rig: Rig, path: string, form: Record<string, string>): Promise<Record<string, string>> {
  const url = `http://127.0.0.1:${rig.port}${path}`
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(form) })
  return (await response.json()) as Record<string, string>
}

/** The JWK Set beside a fastify route that sends as many constant bytes. */
export async function benchJwks(rig: Rig): Promise<Line> {
  const path = '/.well-known/jwks.json'
  const { byteLength: bytes } = await (await fetch(`http://127.0.0.1:${rig.port}${path}`)).arrayBuffer()
  const { port } = await rig.limits.ask({ kind: 'route', bytes })
  const constant = { port, pid: rig.limits.pid }
  const get = (path: string, seconds: number) => ({
    requests: { kind: 'get', path } as const,
    connections: JWKS_CONNECTIONS,
    seconds,
  })
  const rounds = await inTurns(
    ROUNDS,
    (seconds) => measureLoad(rig, get('/constant', seconds), constant),
    (seconds) => measureLoad(rig, get(path, seconds)),
  )
  return throughput('JWKS', rounds, 'constant route', '≥ 0.8')
}

function throughput(what: string, rounds: readonly Round[], limited_by: string, goal: string): Line {
  const [limit, subject] = mediansOf(rounds)
  return {
    what: `${what}: throughput`,
    reached: perSecond(subject.per_second),
    limit: `${perSecond(limit.per_second)} (${limited_by})`,
    ratio: ratioOf(rounds, 'per_second'),
    goal,
    measured: subject,
  }
}

function mediansOf(rounds: readonly Round[]): [limit: Measured, subject: Measured] {
  return [medianOf(rounds.map(({ limit }) => limit)), medianOf(rounds.map(({ subject }) => subject))]
}

/** The median of the rounds' own ratios: what slows the machine down for a while meets both sides of one round. */
function ratioOf(rounds: readonly Round[], member: 'cpu' | 'per_second'): number {
  return median(rounds.map(({ limit, subject }) => subject[member] / limit[member]))
}

/** How much is signed for an access token: its header and its claims. */
async function signingInputBytes(rig: Rig): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${rig.port}/api/token/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: rig.seeded.usernames[0], password: PASSWORD }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`the first sign-in was refused: ${text}`)
  const access: string = JSON.parse(text).access
  return access.lastIndexOf('.')
}
