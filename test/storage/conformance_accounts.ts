import type { Test } from 'tap'
import { countAudit, fresh, NOW, type Opened, sampleAccount, sampleAudit, sampleGrant } from './samples.ts'

export async function accountConformance(t: Test, { store }: Opened): Promise<void> {
  t.test('an account comes back whole, by id and by each folded identifier', async (t) => {
    const email = `${fresh('Alice')}@Example.com`
    const account = sampleAccount({
      username: fresh('Älice'),
      email,
      email_verified_at: NOW,
      name: 'Alice',
      roles: ['a', 'b'],
      password_hash: '$argon2id$',
    })
    t.equal(await store.createAccount(account, [sampleAudit('test.account')]), 'created')
    t.same(await store.findAccount(account.account_id), account)
    t.same(await store.findAccountByIdentifier(account.username.toLowerCase()), account)
    t.same(await store.findAccountByIdentifier(email.toLowerCase()), account)
    t.equal(await store.findAccountByIdentifier(email), undefined, 'the caller folds')
    t.equal(await countAudit(store, 'test.account'), 1)
  })

  t.test('an identifier belongs to one account, whether a username or an address', async (t) => {
    const first = sampleAccount({ email: `${fresh('x')}@example.com` })
    await store.createAccount(first, [])
    const event = fresh('test.taken')
    const same_name = sampleAccount({ username: first.username.toUpperCase() })
    t.equal(await store.createAccount(same_name, [sampleAudit(event)]), 'identifier_taken')
    t.equal(await store.createAccount(sampleAccount({ username: first.email ?? '' }), []), 'identifier_taken')
    t.equal(await store.findAccount(same_name.account_id), undefined)
    t.equal(await countAudit(store, event), 0, 'what did not happen is not recorded')
  })

  t.test('a username that is the address too is one identifier', async (t) => {
    const username = `${fresh('y')}@example.com`
    t.equal(await store.createAccount(sampleAccount({ username, email: username.toUpperCase() }), []), 'created')
  })

  t.test('an update moves the identifiers, and nothing but the profile', async (t) => {
    const account = sampleAccount({ password_hash: 'hash' })
    const other = sampleAccount()
    await store.createAccount(account, [])
    await store.createAccount(other, [])
    const renamed = { ...account, username: fresh('renamed'), roles: ['r'], updated_at: NOW + 1 }
    t.equal(await store.updateAccount({ ...renamed, password_hash: 'ignored', created_at: 0 }, []), 'updated')
    t.same(await store.findAccount(account.account_id), renamed)
    t.equal(await store.findAccountByIdentifier(account.username), undefined)
    t.same(await store.findAccountByIdentifier(renamed.username), renamed)

    t.equal(await store.updateAccount({ ...renamed, username: other.username }, []), 'identifier_taken')
    t.same(await store.findAccountByIdentifier(renamed.username), renamed)
    t.equal(await store.updateAccount(sampleAccount(), []), 'not_found')
  })

  t.test('an update of what was read changes nothing once that is no longer there: of two, one', async (t) => {
    const account = sampleAccount({ email: `${fresh('e')}@example.com`, profile: { given_name: 'A' } })
    await store.createAccount(account, [])
    const { account_id } = account
    const outcomes = await Promise.all(
      ['one', 'two', 'three'].map((role) => store.updateAccount({ ...account, roles: [role] }, [], account)),
    )
    t.same(outcomes.toSorted(), ['stale', 'stale', 'updated'])
    const now = await store.findAccount(account_id)
    t.equal(now?.roles.length, 1)
    for (const member of ['username', 'email', 'name'] as const) {
      const before = { ...(now ?? account), [member]: fresh('other') }
      t.equal(await store.updateAccount({ ...account, name: 'Lost' }, [], before), 'stale', member)
    }
    t.equal(await store.updateAccount(account, [], now), 'updated')
    t.same(await store.findAccount(account_id), account)
    t.equal(await store.updateAccount(sampleAccount(), [], account), 'not_found')
  })

  t.test('a password hash is replaced only when it is still the one that was read', async (t) => {
    const account = sampleAccount()
    await store.createAccount(account, [])
    const { account_id } = account
    const change = { account_id, expected: null, password_hash: 'one', now: NOW + 1, ends_everything: null }
    t.equal(await store.replacePasswordHash(change, []), 'replaced')
    t.equal(await store.replacePasswordHash(change, []), 'stale')
    t.equal(await store.replacePasswordHash({ ...change, expected: 'one', password_hash: 'two' }, []), 'replaced')
    t.match(await store.findAccount(account_id), { password_hash: 'two', updated_at: NOW + 1 })
  })

  t.test(
    'another password revokes all grants of the account; a better hash of the same one revokes none',
    async (t) => {
      const account = sampleAccount()
      const { account_id } = account
      const grant = sampleGrant({ account_id })
      await store.createAccount(account, [])
      await store.createGrant(grant, [], [])
      const revoked_because = async () => (await store.findGrant(grant.grant_id))?.grant.revoked_because
      const change = { account_id, expected: null, password_hash: 'one', now: NOW + 1, ends_everything: null }
      const another = { ...change, ends_everything: 'revoked_by_admin' } as const
      await store.replacePasswordHash(change, [])
      t.equal(await store.replacePasswordHash(another, []), 'stale')
      t.equal(await revoked_because(), null)
      t.equal(await store.replacePasswordHash({ ...another, expected: 'one', password_hash: 'two' }, []), 'replaced')
      t.equal(await revoked_because(), 'revoked_by_admin')
    },
  )

  t.test('disabling an account revokes all its grants, and enabling brings none back', async (t) => {
    const account = sampleAccount()
    const { account_id } = account
    const grant = sampleGrant({ account_id })
    const of_another = sampleGrant()
    await store.createAccount(account, [])
    await store.createGrant(grant, [], [])
    await store.createGrant(of_another, [], [])
    t.equal(await store.disableAccount(account_id, NOW + 5, []), 'disabled')
    t.equal(await store.disableAccount(account_id, NOW + 6, []), 'unchanged')
    t.match(await store.findGrant(grant.grant_id), {
      grant: { revoked_at: NOW + 5, revoked_because: 'account_disabled' },
      account: { disabled_at: NOW + 5 },
    })
    t.match(await store.findGrant(of_another.grant_id), { grant: { revoked_at: null } })
    t.equal(await store.enableAccount(account_id, NOW + 7, []), 'enabled')
    t.equal(await store.enableAccount(account_id, NOW + 8, []), 'unchanged')
    t.match(await store.findGrant(grant.grant_id), { grant: { revoked_at: NOW + 5 }, account: { disabled_at: null } })
    t.equal(await store.disableAccount(fresh('none'), NOW, []), 'not_found')
    t.equal(await store.enableAccount(fresh('none'), NOW, []), 'not_found')
  })

  t.test('a disabled account gets no grant', async (t) => {
    const account = sampleAccount()
    const { account_id } = account
    await store.createAccount(account, [])
    t.equal(await store.createGrant(sampleGrant({ account_id }), [], []), 'created')
    await store.disableAccount(account_id, NOW + 5, [])
    const late = sampleGrant({ account_id })
    const event = fresh('test.grant')
    t.equal(await store.createGrant(late, [], [sampleAudit(event)]), 'account_disabled')
    t.equal(await store.findGrant(late.grant_id), undefined)
    t.equal(await countAudit(store, event), 0)
    t.match(await store.findAccount(account_id), { updated_at: NOW + 5 }, 'and the account is as it was')
  })

  t.test('accounts move in together, or none does; the first that cannot is named', async (t) => {
    const there = sampleAccount({ legacy_user_id: fresh('old') })
    await store.createAccount(there, [])
    const [one, two] = [sampleAccount({ legacy_user_id: fresh('old') }), sampleAccount()]
    const event = fresh('test.import')
    const made = (...accounts: (typeof one)[]) => accounts.map((account) => ({ account, before: undefined }))
    const taken = { ...two, username: there.username.toUpperCase() }
    t.same(await store.importAccounts(made(one, taken), NOW, [sampleAudit(event)]), { outcome: 'stale', index: 1 })
    const same_id = { ...two, legacy_user_id: there.legacy_user_id }
    t.same(await store.importAccounts(made(same_id, one), NOW, [sampleAudit(event)]), { outcome: 'stale', index: 0 })
    t.equal(await store.findAccount(one.account_id), undefined)
    t.equal(await countAudit(store, event), 0)
    t.same(await store.importAccounts(made(one, two), NOW, [sampleAudit(event)]), { outcome: 'imported' })
    t.same(await store.findAccount(one.account_id), one)
    t.same(await store.findAccountByLegacyUserId(one.legacy_user_id ?? ''), one)
    t.equal(await store.findAccountByLegacyUserId(fresh('none')), undefined)
    t.equal(await countAudit(store, event), 1)
  })

  t.test('accounts are found by any of their names, however many are asked for', async (t) => {
    const [one, two] = [
      sampleAccount({ email: `${fresh('z')}@example.com` }),
      sampleAccount({ legacy_user_id: fresh('id') }),
    ]
    await store.createAccount(one, [])
    await store.createAccount(two, [])
    const many = Array.from({ length: 1001 }, () => fresh('nobody'))
    const identifiers = [...many, one.username, one.email ?? '']
    const found = await store.findAccounts({ identifiers, legacy_user_ids: [two.legacy_user_id ?? ''] })
    t.same(found.map(({ account_id }) => account_id).sort(), [one.account_id, two.account_id].sort())
    t.same(await store.findAccounts({ identifiers: [], legacy_user_ids: [] }), [])
  })

  t.test(
    'an imported change loses to whoever was faster, and another password ends what the old one began',
    async (t) => {
      const before = sampleAccount({ password_hash: 'old' })
      const { account_id } = before
      const grant = sampleGrant({ account_id })
      await store.createAccount(before, [])
      await store.createGrant(grant, [], [])
      const live = async () => (await store.findGrant(grant.grant_id))?.grant.revoked_because
      const account = { ...before, username: fresh('moved'), legacy_user_id: fresh('id'), updated_at: NOW + 1 }
      const stale = { ...before, password_hash: 'another' }
      t.same(await store.importAccounts([{ account, before: stale }], NOW, []), { outcome: 'stale', index: 0 })
      t.same(await store.importAccounts([{ account, before }], NOW, []), { outcome: 'imported' })
      t.same(await store.findAccount(account_id), account)
      t.same(await store.findAccountByIdentifier(account.username), account)
      t.equal(await live(), null)
      const changed = { ...account, password_hash: 'new' }
      t.same(await store.importAccounts([{ account: changed, before: account }], NOW, []), { outcome: 'imported' })
      t.equal(await live(), 'revoked_by_admin')
    },
  )

  t.test('the first administrator: one link, once, and only while there is none', async (t) => {
    t.equal(await store.hasAdministrator(), false)
    await store.createAccount(sampleAccount({ roles: ['ADMIN', 'administrator', 'x"admin"'] }), [])
    t.equal(await store.hasAdministrator(), false, 'no role but `admin` itself')

    const admin = sampleAccount({ roles: ['x', 'admin'] })
    const link = { purpose: 'setup_link', subject: null, expires_at: NOW + 60 } as const
    await store.createOneTimeHandle({ ...link, digest: 'first' }, [])
    await store.createOneTimeHandle({ ...link, digest: 'second' }, [])
    t.equal(await store.createFirstAdministrator(admin, 'first', NOW, []), 'link_spent', 'superseded')
    t.equal(await store.createFirstAdministrator(admin, 'second', NOW + 60, []), 'link_spent', 'expired')
    t.equal(await store.createFirstAdministrator(admin, 'none', NOW, []), 'link_spent')

    const taken = sampleAccount()
    await store.createAccount(taken, [])
    const same = { ...admin, username: taken.username }
    t.equal(await store.createFirstAdministrator(same, 'second', NOW, []), 'identifier_taken')
    t.equal(
      await store.createFirstAdministrator(admin, 'second', NOW, []),
      'created',
      'the link was not spent on a miss',
    )
    t.same(await store.findAccount(admin.account_id), admin)
    t.equal(await store.hasAdministrator(), true)

    await store.createOneTimeHandle({ ...link, digest: 'third' }, [])
    const usurper = sampleAccount({ roles: ['admin'] })
    t.equal(await store.createFirstAdministrator(usurper, 'third', NOW, []), 'link_spent')
    await store.disableAccount(admin.account_id, NOW, [])
    t.equal(await store.hasAdministrator(), false)
  })

  t.test('accounts are listed page by page, none twice and none left out', async (t) => {
    const made = Array.from({ length: 7 }, (_, index) => sampleAccount({ created_at: 100 + (index >> 1) }))
    for (const account of made) await store.createAccount(account, [])
    const seen: string[] = []
    let cursor: string | null = null
    do {
      const page: Awaited<ReturnType<typeof store.listAccounts>> = await store.listAccounts({ limit: 3, cursor })
      t.ok(page.items.length <= 3)
      seen.push(...page.items.map((account) => account.account_id))
      cursor = page.next_cursor
    } while (cursor !== null)
    t.equal(new Set(seen).size, seen.length)
    t.same(seen.slice(0, 7).toSorted(), made.map((account) => account.account_id).toSorted(), 'oldest first')
  })

  t.test('a cursor that is not ours begins at the start', async (t) => {
    const first = await store.listAccounts({ limit: 1, cursor: null })
    for (const cursor of ['', '%', 'e30', 'WzEsMl0', 'bnVsbA', Buffer.from('[1.5,"\\u0000"]').toString('base64url')]) {
      t.same(await store.listAccounts({ limit: 1, cursor }), first)
    }
  })
}
