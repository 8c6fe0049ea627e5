import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { openVault, type Vault } from '../../keys/vault.ts'
import type { Random } from '../../server/deps.ts'
import type { Clock, Seconds } from '../../server/protocol/time.ts'
import { openStore } from '../../server/storage/open.ts'
import type { Store } from '../../server/storage/store.ts'

export const random: Random = { bytes: (length) => randomBytes(length) }

/** A clock that stands still until the test moves it. */
export interface TestClock extends Clock {
  at: Seconds
}

/** A vault in a database and a directory of the test's own. */
export interface TestVault {
  readonly vault: Vault
  readonly store: Store
  readonly clock: TestClock
  readonly random: Random
  readonly key_encryption_key_file: string
}

type Test = { testdir(): string; teardown(handler: () => Promise<void>): void }

/** A store in memory, a clock and a path for the key-encryption key file, before anything is in them. */
export async function emptyVault(t: Test): Promise<Omit<TestVault, 'vault'>> {
  const clock: TestClock = { at: 1_800_000_000, now: () => clock.at }
  const store = await openStore({ database: 'sqlite::memory:' }, clock)
  t.teardown(() => store.close())
  return { store, clock, random, key_encryption_key_file: join(t.testdir(), 'kek') }
}

export async function testVault(t: Test): Promise<TestVault> {
  const options = await emptyVault(t)
  return { ...options, vault: await openVault(options) }
}
