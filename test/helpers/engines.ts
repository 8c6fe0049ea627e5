import type { Test } from 'tap'
import { testDatabase } from './postgres.ts'

export type Engine = 'sqlite' | 'postgres'
export const ENGINES: readonly Engine[] = ['sqlite', 'postgres']

/**
 * The database of an engine for a test.
 *
 * @returns `skip` where PostgreSQL cannot be had: for the test to say so
 */
export async function databaseOf(
  t: Test,
  engine: Engine,
): Promise<{ readonly database?: string } | { readonly skip: string }> {
  if (engine === 'sqlite') return {}
  try {
    return { database: await testDatabase(t) }
  } catch (error) {
    return { skip: String(error) }
  }
}
