/** What an apply file would change, member by member. Pure: values in, values out. */

export interface MemberChange {
  readonly member: string
  /** null: it was not there. */
  readonly before: unknown
  readonly after: unknown
}

export interface Change {
  readonly kind: 'resource' | 'client' | 'user'
  /** The resource's URI, the client's `client_id`, the user's name. */
  readonly id: string
  readonly action: 'create' | 'update'
  readonly members: readonly MemberChange[]
}

type Members = Readonly<Record<string, unknown>>

/** What stands in a difference for something that nobody may read. */
export const SECRET = { none: null, set: '(set)', changed: '(changed)' } as const

/** @param before undefined: there is none yet @returns undefined when nothing changes */
export function changeOf(
  kind: Change['kind'],
  id: string,
  before: Members | undefined,
  after: Members,
): Change | undefined {
  const members = changedMembers(before ?? {}, after)
  if (before === undefined) return { kind, id, action: 'create', members }
  return members.length === 0 ? undefined : { kind, id, action: 'update', members }
}

function changedMembers(before: Members, after: Members): MemberChange[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].flatMap((member) => {
    const change = { member, before: before[member] ?? null, after: after[member] ?? null }
    return JSON.stringify(change.before) === JSON.stringify(change.after) ? [] : [change]
  })
}

/** A secret as a member: set, changed, or as it was. */
export function secretMember(
  before: string | null | undefined,
  after: string | null,
): { before: unknown; after: unknown } {
  if (before === null || before === undefined)
    return { before: SECRET.none, after: after === null ? SECRET.none : SECRET.set }
  if (after === null) return { before: SECRET.set, after: SECRET.none }
  return { before: SECRET.set, after: before === after ? SECRET.set : SECRET.changed }
}

/** The keys that occur again, each with the index of its repetition. */
export function repetitions(keys: readonly (readonly string[])[]): { readonly index: number; readonly key: string }[] {
  const owners = new Map<string, number>()
  return keys.flatMap((own, index) =>
    own.filter((key) => (owners.get(key) ?? index) !== index || !owners.set(key, index)).map((key) => ({ index, key })),
  )
}
