/**
 * How long after a revocation was acknowledged resource servers refuse its tokens that listen to the stream: as many as
 * fifty processes would be, each with a connection, a list and keys of its own.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createVerifier, type Verifier } from '../resource_server/verifier.ts'
import { VerifierError } from '../resource_server/verifier_error.ts'
import { quantile } from './measure.ts'
import { AUTHORIZATION_QUERY, CLIENT_ID, EXCHANGE } from './neighbour.ts'
import type { Rig } from './rig.ts'
import { type Line, milliseconds } from './table.ts'

const SUBSCRIBERS = 50
const REVOCATIONS = 1_000
const GOAL_MILLISECONDS = 1_000
/** Then it counts as never. */
const PATIENCE_MILLISECONDS = 30_000

interface Pair {
  readonly access_token: string
  readonly refresh_token: string
}

export async function benchRevocations(rig: Rig): Promise<Line> {
  const pairs = await signIns(rig)
  const verifiers = await subscribers(rig, pairs[0])
  try {
    const delays: number[] = []
    for (const pair of pairs.slice(1)) {
      await revoke(rig, pair)
      const acknowledged = performance.now()
      await Promise.all(
        verifiers.map(async (verifier) => {
          await refused(verifier, pair.access_token, acknowledged)
          delays.push(performance.now() - acknowledged)
        }),
      )
    }
    const [p50, p99] = [quantile(delays, 0.5), quantile(delays, 0.99)]
    const { length: heard } = delays
    return {
      what: `revocation to refusal, by the stream, ${SUBSCRIBERS} listeners: p99`,
      reached: milliseconds(p99),
      limit: `${milliseconds(GOAL_MILLISECONDS)} (goal; p50 ${milliseconds(p50)}, slowest of ${heard} ${milliseconds(quantile(delays, 1))})`,
      ratio: p99 / GOAL_MILLISECONDS,
      goal: '≤ 1',
    }
  } finally {
    for (const verifier of verifiers) verifier.close()
  }
}

/** People who have signed in, one more than are revoked. */
async function signIns(rig: Rig): Promise<Pair[]> {
  const url = `http://127.0.0.1:${rig.port}`
  const pairs: Pair[] = []
  const signIn = async () => {
    const headers = { cookie: rig.seeded.cookie }
    const answer = await fetch(`${url}/authorize?${AUTHORIZATION_QUERY}`, { redirect: 'manual', headers })
    const code = URL.parse(answer.headers.get('location') ?? '')?.searchParams.get('code') ?? ''
    const body = new URLSearchParams(`${EXCHANGE}${code}`)
    pairs.push((await (await fetch(`${url}/token`, { method: 'POST', body })).json()) as Pair)
  }
  while (pairs.length <= REVOCATIONS) await Promise.all(Array.from({ length: 16 }, signIn))
  return pairs.slice(0, REVOCATIONS + 1)
}

/** @param pair that all of them take, so that each has its keys and its list; revoked in the end, so that each hears */
async function subscribers(rig: Rig, pair: Pair | undefined): Promise<Verifier[]> {
  if (pair === undefined) throw new Error('nobody is signed in')
  const issuer = `http://localhost:${rig.port}`
  const [client_id = '', client_secret = ''] = atob(rig.seeded.basic.slice('Basic '.length)).split(':')
  const verifiers = Array.from({ length: SUBSCRIBERS }, () =>
    createVerifier({ issuer, audience: issuer, status: 'stream', client: { client_id, client_secret } }),
  )
  await Promise.all(verifiers.map((verifier) => verifier.verify(pair.access_token)))
  // Whoever comes too late for the event of a grant would see it in the list only a minute later: all are connected now.
  await revoke(rig, pair)
  await Promise.all(verifiers.map((verifier) => refused(verifier, pair.access_token, performance.now())))
  return verifiers
}

async function revoke(rig: Rig, { refresh_token }: Pair): Promise<void> {
  const body = new URLSearchParams({ token: refresh_token, client_id: CLIENT_ID })
  const { status } = await fetch(`http://127.0.0.1:${rig.port}/revoke`, { method: 'POST', body })
  if (status !== 200) throw new Error(`a revocation was answered with ${status}`)
}

async function refused(verifier: Verifier, token: string, since: number): Promise<void> {
  for (;;) {
    const error: unknown = await verifier.verify(token).catch((error: unknown) => error)
    if (error instanceof VerifierError && error.code === 'invalid_token') return
    if (performance.now() > since + PATIENCE_MILLISECONDS) throw new Error('a revocation was not heard of')
    await nextTurn()
  }
}
