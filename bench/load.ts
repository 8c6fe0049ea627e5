/**
 * The load generator, a process of its own so that its CPU is not counted as the server's: HTTP/1.1 over kept-alive
 * connections to the loopback address, one request in flight on each, and of an answer no more is read than is needed.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { quantile } from './measure.ts'
import { answerWith } from './worker.ts'

export type Requests =
  | { readonly kind: 'get'; readonly path: string; readonly authorization?: string }
  /** The same request again and again. */
  | { readonly kind: 'post'; readonly path: string; readonly body: string; readonly authorization?: string }
  /** Each connection signs in to a client again with the session it has: a code, and its exchange. */
  | ({ readonly kind: 'code' } & CodeFlow)
  /** Each connection refreshes a grant of its own, with the token that the last answer gave. */
  | { readonly kind: 'refresh'; readonly tokens: readonly string[] }
  /** Each sign-in takes the next name. */
  | { readonly kind: 'login'; readonly usernames: readonly string[]; readonly password: string }

export interface CodeFlow {
  /** Path and query of the authorization request. */
  readonly authorize: string
  /** The browser's cookies. */
  readonly cookie: string
  /** The exchange, but for the code at its end: `…&code=`. */
  readonly exchange: string
}

export interface Load {
  readonly port: number
  readonly requests: Requests
  readonly connections: number
  readonly seconds: number
  /** Requests per second in all; left out: as many as the connections carry. */
  readonly rate?: number
}

export interface Latencies {
  readonly count: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
}

export interface LoadResult {
  readonly seconds: number
  /** By status. */
  readonly answers: Readonly<Record<string, Latencies>>
  /** The current refresh token of each connection, to go on with. */
  readonly tokens: readonly string[]
}

/** What one connection sends. */
interface Conversation {
  next(): string
  /** Takes note of an answer. @returns whether a piece of work is done with it, rather than half done */
  heard(answer: Answer): boolean
  readonly token: string
}

async function run(load: Load): Promise<LoadResult> {
  const latencies = new Map<number, number[]>()
  const started = performance.now()
  const end = started + load.seconds * 1000
  const every = load.rate === undefined ? 0 : (load.connections / load.rate) * 1000

  async function talk(index: number): Promise<string> {
    const conversation = begin(load.requests, index, load.connections)
    const send = await open(load.port)
    let due = started + (every * index) / load.connections
    for (;;) {
      const early = due - performance.now()
      if (early > 1) await sleep(early)
      due += every
      const sent = performance.now()
      if (sent >= end) break
      let answer: Answer
      do answer = await send(conversation.next())
      while (!conversation.heard(answer))
      const known = latencies.get(answer.status)
      if (known === undefined) latencies.set(answer.status, [performance.now() - sent])
      else known.push(performance.now() - sent)
    }
    send.close()
    return conversation.token
  }

  const tokens = await Promise.all(Array.from({ length: load.connections }, (_, index) => talk(index)))
  const answers = [...latencies].map(([status, values]): [string, Latencies] => [
    String(status),
    { count: values.length, p50: quantile(values, 0.5), p99: quantile(values, 0.99) },
  ])
  return { seconds: (performance.now() - started) / 1000, answers: Object.fromEntries(answers), tokens }
}

function begin(requests: Requests, index: number, connections: number): Conversation {
  const nothing = { heard: () => true, token: '' }
  switch (requests.kind) {
    case 'get': {
      const text = `GET ${requests.path} HTTP/1.1\r\nhost: localhost\r\n${authorizationLine(requests)}\r\n`
      return { ...nothing, next: () => text }
    }
    case 'post': {
      const { path, body } = requests
      const text = post(path, FORM, body, authorizationLine(requests))
      return { ...nothing, next: () => text }
    }
    case 'code':
      return codeFlow(requests)
    case 'login': {
      let turn = index
      const next = () => {
        const username = requests.usernames[turn % requests.usernames.length]
        turn += connections
        return post('/api/token/', 'application/json', JSON.stringify({ username, password: requests.password }))
      }
      return { ...nothing, next }
    }
    case 'refresh': {
      let token = requests.tokens[index] ?? ''
      return {
        get token() {
          return token
        },
        next: () => post('/token', FORM, `grant_type=refresh_token&client_id=bench&refresh_token=${token}`),
        heard({ status, body }) {
          if (status === 200) token = memberOf(body(), 'refresh_token')
          return true
        },
      }
    }
  }
}

function codeFlow({ authorize, cookie, exchange }: CodeFlow): Conversation {
  const ask = `GET ${authorize} HTTP/1.1\r\nhost: localhost\r\ncookie: ${cookie}\r\n\r\n`
  let code: string | undefined
  return {
    token: '',
    next() {
      if (code === undefined) return ask
      const request = post('/token', FORM, exchange + code)
      code = undefined
      return request
    },
    heard({ location }) {
      code = /[?&]code=([^&]+)/.exec(location())?.[1]
      return code === undefined
    },
  }
}

const FORM = 'application/x-www-form-urlencoded'

function post(path: string, type: string, body: string, more = ''): string {
  const headers = `content-type: ${type}\r\ncontent-length: ${body.length}\r\n${more}`
  return `POST ${path} HTTP/1.1\r\nhost: localhost\r\n${headers}\r\n${body}`
}

function authorizationLine({ authorization }: { readonly authorization?: string }): string {
  return authorization === undefined ? '' : `authorization: ${authorization}\r\n`
}

/** Without parsing the rest. */
function memberOf(body: string, name: string): string {
  const at = body.indexOf(`"${name}":"`) + name.length + 4
  return body.slice(at, body.indexOf('"', at))
}

interface Answer {
  readonly status: number
  /** The server closes the connection after it. */
  readonly last: boolean
  readonly location: () => string
  readonly body: () => string
}
type Send = ((request: string) => Promise<Answer>) & { close(): void }

/** A connection, opened again when the server has closed it after an answer. */
async function open(port: number): Promise<Send> {
  let socket: Socket | undefined
  let settle: { resolve(answer: Answer): void; reject(error: unknown): void } | undefined
  let received: Buffer = Buffer.alloc(0)

  async function dial(): Promise<Socket> {
    const fresh = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(fresh, 'connect')
    fresh.on('data', (chunk: Buffer) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
      const answer = parse(received)
      if (answer === undefined) return
      received = Buffer.alloc(0)
      if (answer.last) {
        socket = undefined
        fresh.destroy()
      }
      settle?.resolve(answer)
    })
    fresh.on('error', (error) => settle?.reject(error))
    fresh.on('close', () => {
      if (socket === fresh) settle?.reject(new Error('the server closed the connection instead of answering'))
    })
    return fresh
  }

  const send = async (request: string) => {
    socket ??= await dial()
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    settle = { resolve, reject }
    socket.write(request, 'latin1')
    return promise
  }
  return Object.assign(send, { close: () => socket?.destroy() })
}

const HEAD_END = Buffer.from('\r\n\r\n')

/** An answer, once it has arrived whole. */
function parse(bytes: Buffer): Answer | undefined {
  const head_end = bytes.indexOf(HEAD_END)
  if (head_end === -1) return undefined
  const head = bytes.toString('latin1', 0, head_end)
  const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
  const from = head_end + HEAD_END.length
  if (bytes.length < from + length) return undefined
  const last = /\r\nconnection: close/i.test(head)
  return {
    status: Number(head.slice(9, 12)),
    last,
    location: () => /\r\nlocation: (\S+)/i.exec(head)?.[1] ?? '',
    body: () => bytes.toString('latin1', from, from + length),
  }
}

answerWith(run)
