import { type BaseLogger, type DestinationStream, pino } from 'pino'
import type { Config } from '../../config/schema.ts'

type Level = 'level' | 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

/** The log: `log.info({ client_id }, 'what happened')`. It is what fastify takes as its `loggerInstance`, too. */
export interface Log extends Pick<BaseLogger, Level> {
  child(bindings: Readonly<Record<string, unknown>>): Log
}

/** Makes the process's log. @param destination for tests; standard output when it is left out */
export function createLog(config: Config['log'], destination?: DestinationStream): Log {
  return pino({ level: config.level }, destination ?? pino.destination(1))
}
