import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { type FieldProblem, invalid } from '../http/problem.ts'
import type { Account } from '../protocol/account.ts'
import { type Client, partsOf } from '../protocol/client.ts'
import { foldIdentifier } from '../protocol/identifier.ts'
import type { Resource } from '../protocol/resource.ts'
import { normalizedResource } from '../protocol/resource_registration.ts'
import { createAccount, planAccount, planAccountChange, replacePasswordHash, updateAccount } from './account_changes.ts'
import { UserDocument } from './accounts.ts'
import { type Change, changeOf, repetitions, secretMember } from './apply_plan.ts'
import { createClient, planClient, updateClient } from './client_changes.ts'
import { askedClient, ignoredMembers, NamedClientDocument } from './clients.ts'
import { type Administrator, administratorOf } from './guard.ts'
import { changedMeanwhile } from './latest.ts'
import { createResource, planResource, updateResource } from './resource_changes.ts'
import { askedResource, ResourceDocument } from './resources.ts'
import { closed, problems } from './schemas.ts'

const BODY_LIMIT = 1_048_576
const MAX_ITEMS = 10_000
// Hundreds of passwords take their time to hash.
const DEADLINE_SECONDS = 300

const ApplyDocument = closed({
  resources: Type.Optional(Type.Array(ResourceDocument, { maxItems: MAX_ITEMS })),
  clients: Type.Optional(Type.Array(NamedClientDocument, { maxItems: MAX_ITEMS })),
  users: Type.Optional(Type.Array(UserDocument, { maxItems: MAX_ITEMS })),
})
type ApplyDocument = Static<typeof ApplyDocument>

const MemberView = Type.Object({ member: Type.String(), before: Type.Unknown(), after: Type.Unknown() })
const ChangeView = Type.Object({
  kind: Type.Enum(['resource', 'client', 'user']),
  id: Type.String(),
  action: Type.Enum(['create', 'update']),
  members: Type.Array(MemberView),
})
const ApplyView = Type.Object({
  dry_run: Type.Boolean(),
  changes: Type.Array(ChangeView),
  unchanged: Type.Integer(),
  ignored: Type.Array(Type.String({ description: 'Members that mean nothing here.' })),
})

/** One item of the document: what is wrong with it, or what it changes and how. */
type Item =
  | { readonly problems: readonly FieldProblem[] }
  | { readonly change: Change | undefined; readonly commit: () => Promise<void> }

/**
 * Brings the database to what a file says. Everything is checked before anything is changed; nothing is deleted; a
 * second time changes nothing.
 */
export function apply(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.post(
      '/apply',
      {
        config: { scope: 'gatehouse:write', deadline_seconds: DEADLINE_SECONDS },
        bodyLimit: BODY_LIMIT,
        schema: {
          tags: ['apply'],
          operationId: 'apply',
          querystring: closed({ dry_run: Type.Optional(Type.Boolean({ default: false })) }),
          body: ApplyDocument,
          response: { 200: ApplyView, ...problems },
        },
      },
      async (request) => {
        const { dry_run = false } = request.query
        const steps = await plan(deps, administratorOf(request), request.body)
        const changing = steps.filter(({ change }) => change !== undefined)
        if (!dry_run) for (const { commit } of changing) await commit()
        const changes = changing.flatMap(({ change }) => (change === undefined ? [] : [change]))
        return {
          dry_run,
          changes: changes.map((change) => ({ ...change, members: [...change.members] })),
          unchanged: steps.length - changes.length,
          ignored: ignoredIn(request.body),
        }
      },
    )
  }
}

/** @throws a 400 with all that is wrong */
async function plan(deps: Deps, by: Administrator, document: ApplyDocument) {
  const { resources = [], clients = [], users = [] } = document
  const named = resources.map(({ resource }) => normalizedResource(resource) ?? resource)
  const problems: FieldProblem[] = [
    ...repeated(
      'resources',
      'resource',
      named.map((name) => [name]),
    ),
    ...repeated(
      'clients',
      'client_id',
      clients.map(({ client_id }) => [client_id]),
    ),
    ...repeated('users', 'username', users.map(identifiersOf)),
  ]
  const steps: Exclude<Item, { problems: unknown }>[] = []
  const take = (path: string, item: Item) => {
    if ('problems' in item) problems.push(...item.problems.map((it) => ({ ...it, field: `${path}/${it.field}` })))
    else steps.push(item)
  }
  for (const [index, asked] of resources.entries()) take(`resources/${index}`, await planOneResource(deps, by, asked))
  for (const [index, asked] of clients.entries()) take(`clients/${index}`, await planOneClient(deps, by, asked, named))
  for (const [index, asked] of users.entries()) take(`users/${index}`, await planOneUser(deps, by, asked))
  if (problems.length > 0) throw invalid(problems)
  return steps
}

async function planOneResource(deps: Deps, by: Administrator, asked: Static<typeof ResourceDocument>): Promise<Item> {
  const name = normalizedResource(asked.resource)
  const [existing] = name === undefined ? [] : await deps.store.findResources([name])
  const planned = planResource(deps, existing, askedResource(asked))
  if ('problems' in planned) return planned
  const { value } = planned
  return {
    change: changeOf('resource', value.resource, existing && resourceMembers(existing), resourceMembers(value)),
    commit: () => (existing === undefined ? createResource(deps, by, value) : updateResource(deps, by, value)),
  }
}

function resourceMembers(resource: Resource) {
  const { resource: _, created_at: _1, updated_at: _2, ...members } = resource
  return members
}

async function planOneClient(
  deps: Deps,
  by: Administrator,
  asked: Static<typeof NamedClientDocument>,
  resources: readonly string[],
): Promise<Item> {
  const existing = await deps.store.findClient(asked.client_id)
  const planned = await planClient(deps, by, existing, askedClient(asked), resources)
  if ('problems' in planned) return planned
  const { client, issued_secret } = planned.value
  // One made here would have to be shown, and a second run could not show it again.
  if (issued_secret !== null) return { problems: [{ field: 'client_secret', message: 'is missing' }] }
  const secret = secretMember(existing?.client_secret_digest, client.client_secret_digest)
  return {
    change: changeOf(
      'client',
      client.client_id,
      existing && { ...partsOf(existing).metadata, client_secret: secret.before },
      clientMembers(client, secret.after),
    ),
    commit: () =>
      existing === undefined ? createClient(deps, by, client) : asPlanned(updateClient(deps, by, client, existing)),
  }
}

function clientMembers(client: Client, client_secret: unknown) {
  return { ...partsOf(client).metadata, client_secret }
}

async function planOneUser(deps: Deps, by: Administrator, asked: Static<typeof UserDocument>): Promise<Item> {
  const existing = await deps.store.findAccountByIdentifier(foldIdentifier(asked.username))
  const taken = await takenIdentifiers(deps, existing, asked)
  if (taken.length > 0) return { problems: taken }
  const { password: _, username: _1, ...change } = asked
  const planned =
    existing === undefined ? await planAccount(deps, by, asked) : await planAccountChange(deps, by, existing, change)
  if ('problems' in planned) return planned
  const { value } = planned
  const hash = secretMember(existing?.password_hash, value.password_hash)
  return {
    change: changeOf('user', value.username, existing && { ...userMembers(existing), password_hash: hash.before }, {
      ...userMembers(value),
      password_hash: hash.after,
    }),
    commit: () => (existing === undefined ? createAccount(deps, by, value) : changeUser(deps, by, existing, value)),
  }
}

function userMembers({ email, email_verified_at, name, profile, roles }: Account) {
  return { email, email_verified: email_verified_at !== null, name, profile, roles }
}

async function changeUser(deps: Deps, by: Administrator, existing: Account, value: Account): Promise<void> {
  const { password_hash } = value
  if (JSON.stringify(userMembers(existing)) !== JSON.stringify(userMembers(value))) {
    await asPlanned(updateAccount(deps, by, value, existing))
  }
  if (password_hash !== null && password_hash !== existing.password_hash) {
    await replacePasswordHash(deps, by, existing, password_hash)
  }
}

/** What was planned was planned for what was read. @throws {Problem} 409 */
async function asPlanned(update: Promise<'updated' | 'stale'>): Promise<void> {
  if ((await update) === 'stale') throw changedMeanwhile()
}

async function takenIdentifiers(
  deps: Deps,
  existing: Account | undefined,
  { username, email }: Static<typeof UserDocument>,
): Promise<FieldProblem[]> {
  const message = 'belongs to another account'
  // Found by its e-mail address: the user name of one person is the address of another.
  if (existing !== undefined && foldIdentifier(existing.username) !== foldIdentifier(username)) {
    return [{ field: 'username', message }]
  }
  const owner = email == null ? undefined : await deps.store.findAccountByIdentifier(foldIdentifier(email))
  return owner === undefined || owner.account_id === existing?.account_id ? [] : [{ field: 'email', message }]
}

function identifiersOf({ username, email }: { username: string; email?: string | null }): string[] {
  return [...new Set([username, email ?? username].map(foldIdentifier))]
}

function repeated(section: string, member: string, keys: readonly (readonly string[])[]): FieldProblem[] {
  return repetitions(keys).map(({ index, key }) => ({
    field: `${section}/${index}/${member}`,
    message: `${key} is in this file more than once`,
  }))
}

function ignoredIn({ clients = [] }: ApplyDocument): string[] {
  return clients.flatMap((client, index) => ignoredMembers(client).map((member) => `clients/${index}/${member}`))
}
