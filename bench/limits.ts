/** What the machine can do at most, in a process of its own: bare signatures, bare hashes, a route that does nothing. */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { join } from 'node:path'
import argon2 from 'argon2'
import Database from 'better-sqlite3'
import fastify from 'fastify'
import { answerWith } from './worker.ts'

interface Repeated {
  readonly concurrency: number
  readonly seconds: number
}

export type LimitRequest =
  | ({ readonly kind: 'sign'; readonly bytes: number } & Repeated)
  | ({ readonly kind: 'verify'; readonly hash: string } & Repeated)
  | { readonly kind: 'route'; readonly bytes: number }
  /** One row changed and synced, one after another, in this folder. */
  | ({ readonly kind: 'commit'; readonly folder: string } & Omit<Repeated, 'concurrency'>)

export interface LimitResult {
  readonly per_second: number
  readonly count: number
  /** Of the route. */
  readonly port: number
}

const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

async function limit(request: LimitRequest): Promise<LimitResult> {
  switch (request.kind) {
    case 'sign': {
      const input = randomBytes(request.bytes)
      return repeat(request, () => new Promise((resolve) => sign('sha256', input, privateKey, resolve)))
    }
    case 'verify':
      return repeat(request, () => argon2.verify(request.hash, 'not the password'))
    case 'commit':
      return repeat({ ...request, concurrency: 1 }, commits(request.folder))
    case 'route':
      return { count: 0, per_second: 0, port: await serveConstant(request.bytes) }
  }
}

async function repeat({ concurrency, seconds }: Repeated, work: () => Promise<unknown>): Promise<LimitResult> {
  const started = performance.now()
  const end = started + seconds * 1000
  let count = 0
  const worker = async () => {
    while (performance.now() < end) {
      await work()
      count += 1
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  return { count, per_second: (count / (performance.now() - started)) * 1000, port: 0 }
}

/** As durable as the server's own: WAL, synced at every commit. */
function commits(folder: string): () => Promise<unknown> {
  const database = new Database(join(folder, 'limit.db'))
  database.pragma('journal_mode = WAL')
  database.pragma('synchronous = FULL')
  database.exec(
    'CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY, value INTEGER); INSERT OR IGNORE INTO rows VALUES (1, 0)',
  )
  const update = database.prepare('UPDATE rows SET value = value + 1 WHERE id = 1')
  return async () => update.run()
}

async function serveConstant(bytes: number): Promise<number> {
  const body = Buffer.alloc(bytes, 'x')
  const app = fastify()
  app.get('/constant', (_request, reply) => reply.type('application/json').send(body))
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  return Number(new URL(url).port)
}

answerWith(limit)
