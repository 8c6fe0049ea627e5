import { type BaseLogger, type DestinationStream, pino } from 'pino'
import type { Config } from '../../config/schema.ts'
import { addressPrefix } from '../protocol/address_prefix.ts'
import { pathAndNames, redact } from './redact.ts'

type Level = 'level' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** The log: `log.info({ client_id }, 'what happened')`. It is what fastify takes as its `loggerInstance`, too. */
export interface Log extends Pick<BaseLogger, Level> {
  child(bindings: Readonly<Record<string, unknown>>): Log
}

/** Lines that wait for a slow reader; beyond it they are dropped, because the server must not wait with them. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024

/** Makes the process's log. @param destination for tests; standard output when it is left out */
export function createLog(config: Config['log'], destination?: DestinationStream): Log {
  const out = destination ?? pino.destination({ dest: 1, sync: false, maxLength: MAX_WAITING_BYTES })
  const pretty = config.format === 'pretty' || (config.format === 'auto' && process.stdout.isTTY)
  return pino(
    {
      level: config.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { req: describeRequest, res: describeReply, err: pino.stdSerializers.err },
      hooks: { streamWrite: redact },
    },
    pretty ? { write: (line) => out.write(forPeople(line)) } : out,
  )
}

/** Who asked for what. No header is ever logged, and of the query only the names. */
function describeRequest(request: { method?: string; url?: string; ip?: string; id?: unknown }) {
  return {
    method: request.method,
    path: pathAndNames(request.url ?? ''),
    address_prefix: addressPrefix(request.ip ?? ''),
    request_id: request.id,
  }
}

function describeReply(reply: { statusCode?: number }) {
  return { status: reply.statusCode }
}

/** `12:30:59 WARN what happened key=value`: one line still, because no control character gets through. */
function forPeople(line: string): string {
  const { time, level, msg, ...rest } = JSON.parse(line)
  const pairs = Object.entries(rest).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  )
  const text = [String(time).slice(11, 19), String(level).toUpperCase().padEnd(5), msg, ...pairs]
  return `${text.join(' ').replace(CONTROLS, encodeControl)}\n`
}

const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]/gu

function encodeControl(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`
}
