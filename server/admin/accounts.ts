import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Deps } from '../deps.ts'
import { orRefuse } from '../http/problem.ts'
import type { Account } from '../protocol/account.ts'
import { foldIdentifier } from '../protocol/identifier.ts'
import { accountThrottleKey } from '../protocol/throttle.ts'
import {
  createAccount,
  findAccount,
  planAccount,
  planAccountChange,
  requireAccount,
  setDisabled,
  tell,
  updateAccount,
} from './account_changes.ts'
import { ProfileChangeDocument, ProfileView } from './account_profile.ts'
import { type Administrator, administratorOf } from './guard.ts'
import { onLatest } from './latest.ts'
import { closed, Identifier, Instant, NoContent, nullable, page, pageQuery, pageRequest, problems } from './schemas.ts'

export const Email = nullable(Type.String({ maxLength: 254 }))
export const Name = nullable(Type.String({ maxLength: 200 }))
export const Roles = Type.Array(Type.String({ maxLength: 64 }), { maxItems: 32 })

/** Without the password hash, which leaves the database only to check a password. */
export const AccountView = Type.Object({
  account_id: Type.String(),
  username: Type.String(),
  email: Email,
  email_verified: Type.Boolean(),
  name: Name,
  profile: ProfileView,
  roles: Roles,
  has_password: Type.Boolean(),
  disabled_at: nullable(Instant),
  created_at: Instant,
  updated_at: Instant,
  legacy_user_id: nullable(Type.String({ description: 'What the system that it came from knew it by.' })),
})

/** A user of the apply file, and a new account. */
export const UserDocument = closed({
  username: Type.String({ maxLength: 150 }),
  email: Type.Optional(Email),
  email_verified: Type.Optional(Type.Boolean()),
  name: Type.Optional(Name),
  profile: Type.Optional(ProfileChangeDocument),
  roles: Type.Optional(Roles),
  password: Type.Optional(Type.String({ maxLength: 4096 })),
  password_hash: Type.Optional(
    Type.String({ maxLength: 1024, description: 'As it was made elsewhere: see docs/migrate.' }),
  ),
})

const AccountPatch = closed({
  username: Type.Optional(Type.String({ maxLength: 150 })),
  email: Type.Optional(Email),
  email_verified: Type.Optional(Type.Boolean()),
  name: Type.Optional(Name),
  profile: Type.Optional(ProfileChangeDocument),
  roles: Type.Optional(Roles),
})

const tags = ['accounts']
const params = closed({ account: Identifier })
const query = closed({ ...pageQuery, username: Type.Optional(Identifier), email: Type.Optional(Identifier) })

export function describeAccount(account: Account) {
  const { account_id, username, email, name, profile, roles, disabled_at, created_at, updated_at, legacy_user_id } =
    account
  const email_verified = account.email_verified_at !== null
  const has_password = account.password_hash !== null
  const rest = { has_password, disabled_at, created_at, updated_at, legacy_user_id }
  return { account_id, username, email, email_verified, name, profile, roles: [...roles], ...rest }
}

/** The people who can sign in. `{account}` is an `account_id`, a user name or an e-mail address. */
export function accounts(deps: Deps): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      '/accounts',
      {
        config: { scope: 'gatehouse:read' },
        schema: {
          tags,
          operationId: 'listAccounts',
          querystring: query,
          response: { 200: page(AccountView), ...problems },
        },
      },
      async ({ query: { username, email, ...asked } }) => {
        if (username === undefined && email === undefined) {
          const { items, next_cursor } = await deps.store.listAccounts(pageRequest(asked))
          return { items: items.map(describeAccount), next_cursor }
        }
        return { items: (await findExactly(deps, username, email)).map(describeAccount), next_cursor: null }
      },
    )

    app.post(
      '/accounts',
      {
        config: { scope: 'gatehouse:write' },
        schema: { tags, operationId: 'createAccount', body: UserDocument, response: { 201: AccountView, ...problems } },
      },
      async (request, reply) => {
        const by = administratorOf(request)
        const account = orRefuse(await planAccount(deps, by, request.body))
        await createAccount(deps, by, account)
        return reply.code(201).send(describeAccount(account))
      },
    )

    app.get(
      '/accounts/:account',
      {
        config: { scope: 'gatehouse:read' },
        schema: { tags, operationId: 'readAccount', params, response: { 200: AccountView, ...problems } },
      },
      async (request) => describeAccount(await requireAccount(deps, request.params.account)),
    )

    app.patch(
      '/accounts/:account',
      {
        config: { scope: 'gatehouse:write' },
        schema: {
          tags,
          operationId: 'updateAccount',
          params,
          body: AccountPatch,
          response: { 200: AccountView, ...problems },
        },
      },
      async (request) => {
        const by = administratorOf(request)
        return onLatest(async () => {
          const existing = await requireAccount(deps, request.params.account)
          const account = orRefuse(await planAccountChange(deps, by, existing, request.body))
          const outcome = await updateAccount(deps, by, account, existing)
          return outcome === 'stale' ? outcome : describeAccount(account)
        })
      },
    )

    const act = (path: string, operationId: string, run: (by: Administrator, account: Account) => Promise<void>) =>
      app.post(
        `/accounts/:account/${path}`,
        {
          config: { scope: 'gatehouse:write' },
          schema: { tags, operationId, params, response: { 204: NoContent, ...problems } },
        },
        async (request, reply) => {
          await run(administratorOf(request), await requireAccount(deps, request.params.account))
          return reply.code(204).send(null)
        },
      )
    act('disable', 'disableAccount', (by, account) => setDisabled(deps, by, account, true))
    act('enable', 'enableAccount', (by, account) => setDisabled(deps, by, account, false))
    act('reset-throttle', 'resetThrottle', (by, account) => resetThrottle(deps, by, account))
  }
}

async function findExactly(deps: Deps, username: string | undefined, email: string | undefined): Promise<Account[]> {
  const account = await findAccount(deps, username ?? email ?? '')
  if (account === undefined) return []
  const same = (asked: string | undefined, has: string | null) =>
    asked === undefined || (has !== null && foldIdentifier(asked) === foldIdentifier(has))
  return same(username, account.username) && same(email, account.email) ? [account] : []
}

/** Lifts the lock that failures in a row have put on the account, whichever of its names they were tried with. */
async function resetThrottle(deps: Deps, by: Administrator, account: Account): Promise<void> {
  const names = [account.username, account.email ?? account.username].map(foldIdentifier)
  const keys = [...new Set(names)].map((name) =>
    accountThrottleKey(name, (label, value) => deps.vault.digest(label, value)),
  )
  await deps.store.resetThrottle(keys)
  await deps.store.appendAudit([tell(deps, by, 'admin.throttle_reset', account.account_id)])
}
