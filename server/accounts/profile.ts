import type { AccountProfile } from '../protocol/account.ts'

type Address = NonNullable<AccountProfile['address']>

/** What is asked for of a profile: a member left out stays as it is, null takes it away. An address is given whole. */
export type ProfileChange = {
  readonly [Member in keyof AccountProfile]?: AccountProfile[Member] | null | undefined
}

/** The profile after a change. A new telephone number has not been verified by a call to the old one. */
export function changedProfile(existing: AccountProfile, change: ProfileChange): AccountProfile {
  const renumbered = change.phone_number !== undefined && change.phone_number !== existing.phone_number
  const { phone_number_verified, ...rest } = existing
  const kept = renumbered || phone_number_verified === undefined ? rest : { ...rest, phone_number_verified }
  const members = Object.entries({ ...kept, ...change })
  return Object.fromEntries(members.filter(([, value]) => value !== null && value !== undefined && !isEmpty(value)))
}

/** Why a profile cannot be taken, in a sentence for a person; undefined: it can. */
export function profileProblem({ phone_number, phone_number_verified }: AccountProfile): string | undefined {
  return phone_number_verified === true && phone_number === undefined
    ? 'There is no telephone number that could be verified.'
    : undefined
}

function isEmpty(value: string | boolean | Address): boolean {
  return typeof value === 'object' && Object.keys(value).length === 0
}
