import { join } from 'node:path'

/** The arguments of Node that start the broken server. */
export const SABOTAGED_SERVER: readonly string[] = [join(import.meta.dirname, 'sabotaged_server.ts')]
