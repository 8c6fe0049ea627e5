import type { Test } from 'tap'
import { accountConformance } from './conformance_accounts.ts'
import { authorizationConformance } from './conformance_authorization.ts'
import { clientConformance } from './conformance_clients.ts'
import { deviceConformance } from './conformance_devices.ts'
import { driverConformance } from './conformance_driver.ts'
import { grantConformance } from './conformance_grants.ts'
import { keyConformance } from './conformance_keys.ts'
import { raceConformance } from './conformance_races.ts'
import { registrationConformance } from './conformance_registration.ts'
import { sessionConformance } from './conformance_sessions.ts'
import { signalConformance } from './conformance_signals.ts'
import { signingInRaceConformance } from './conformance_signing_in_races.ts'
import { throttleConformance } from './conformance_throttles.ts'
import { trailConformance } from './conformance_trail.ts'
import type { Opened } from './samples.ts'

/** What every engine has to do: each method and each of its named outcomes, and each race with its one winner. */
export async function conformance(t: Test, open: () => Promise<Opened>): Promise<void> {
  const opened = await open()
  t.teardown(() => opened.store.close())
  await t.test('driver', (t) => driverConformance(t, opened))
  await t.test('accounts', (t) => accountConformance(t, opened))
  await t.test('clients and resources', (t) => clientConformance(t, opened))
  await t.test('grants', (t) => grantConformance(t, opened))
  await t.test('sessions and logout', (t) => sessionConformance(t, opened))
  await t.test('codes and consents', (t) => authorizationConformance(t, opened))
  await t.test('devices', (t) => deviceConformance(t, opened))
  await t.test('registration', (t) => registrationConformance(t, opened))
  await t.test('throttles', (t) => throttleConformance(t, opened))
  await t.test('keys, secrets and handles', (t) => keyConformance(t, opened))
  await t.test('audit trail and sweeping', (t) => trailConformance(t, opened))
  await t.test('security events', (t) => signalConformance(t, opened))
  await t.test('races', (t) => raceConformance(t, opened))
  await t.test('races of signing in', (t) => signingInRaceConformance(t, opened))
}
