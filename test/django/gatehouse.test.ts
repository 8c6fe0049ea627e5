/** A site with gatehouse_drf and Gatehouse itself: people sign in, are provisioned, and are revoked; accounts move in. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { DJANGO_VERSIONS, djangoPackages, djangoSite, startSite } from '../helpers/django.ts'
import { startServer, temporaryDirectory } from '../helpers/process.ts'
import { INSTALL_SECONDS } from '../helpers/python.ts'
import { AUDIENCE, flowWithGatehouse, inTime, run, signIn, USER } from '../helpers/resource_server_flow.ts'

t.setTimeout((INSTALL_SECONDS + 60) * 2_000)
for (const version of DJANGO_VERSIONS) {
  const python = await djangoPackages(version)
  const skip = 'unavailable' in python && `no Python packages: ${python.unavailable}`
  if (skip) process.stderr.write(`test/django/gatehouse.test.ts SKIPPED: ${skip}\n`)

  t.test(`Django ${version}`, { skip }, async (t) => {
    if ('unavailable' in python) return
    const { bin } = python

    t.test('a person signs in, is provisioned, and is refused once revoked', async (t) => {
      const server = await startServer(t, {
        GATEHOUSE_TOKENS__DEFAULT_RESOURCE: AUDIENCE,
        GATEHOUSE_STATUS_LISTS__TTL_SECONDS: '5',
        GATEHOUSE_TOKEN_API__DRF_JWT: 'true',
      })
      await run(server, ['resources', 'create', AUDIENCE, '--scope', 'read'])
      const created = await run(server, ['users', 'create', USER.username, '--password-stdin', '--json'], USER.password)
      const { account_id } = JSON.parse(created)
      const site = await djangoSite(t, bin, {
        gatehouse: { ISSUER: server.issuer, AUDIENCE, SCHEMES: ['Bearer', 'JWT'] },
      })
      const { get, url } = await startSite(t, site, { workers: 2 })

      const { access, refresh } = await signIn(server)
      const me = await get('/me/', access)
      t.equal(me.status, 200)
      t.match(await me.json(), { username: account_id, claims: { iss: server.issuer, status: { status_list: {} } } })
      t.equal((await get('/read/', access)).status, 200)
      t.equal((await get('/me/', refresh)).status, 401)

      const answer = await fetch(`${server.issuer}/api-token-auth/`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(USER),
      })
      const { token } = (await answer.json()) as { token: string }
      const old_client = await fetch(`${url}/me/`, { headers: { authorization: `JWT ${token}` } })
      t.equal(old_client.status, 200, 'a client of djangorestframework-jwt, with its header')

      const other = await signIn(server)
      await fetch(`${server.issuer}/api/token/blacklist/`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ refresh }),
      })
      const refused = async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => get('/me/', access)))
        return answers.every(({ status }) => status === 401)
      }
      t.ok(await inTime(refused), 'within the ttl of the list, by every worker')
      t.equal((await get('/me/', other.access)).status, 200, 'another grant of the same person is not touched')
    })

    // Takes a while, and has nothing to do with Django.
    const skip_rotation = version !== DJANGO_VERSIONS.at(-1)
    t.test('keys rotate, also in an emergency', { skip: skip_rotation && 'done with the newest' }, async (t) => {
      const start = async (trusted: { issuer: string; audience: string }) => {
        const gatehouse = { ISSUER: trusted.issuer, AUDIENCE: trusted.audience, COOL_DOWN: 1, USERS: 'stateless' }
        const { get } = await startSite(t, await djangoSite(t, bin, { gatehouse }), { workers: 2 })
        return async (path: string, token?: string) => {
          const response = await get(path, token)
          const body = (await response.json()) as { claims?: object }
          return new Response(JSON.stringify(body.claims ?? body), response)
        }
      }
      await flowWithGatehouse(t, start, '/me/')
    })

    t.test('what gatehouse_export_users writes, users import reads: passwords and all', async (t) => {
      const server = await startServer(t)
      const site = await djangoSite(t, bin, { gatehouse: {} })
      await site.manage(
        'shell',
        '-c',
        `from django.contrib.auth.models import User; User.objects.create_user(${JSON.stringify(USER.username)}, 'alice@example.com', ${JSON.stringify(USER.password)}, first_name='Alice')
User.objects.create_user('unusable')`,
      )
      const file = join(temporaryDirectory(t), 'users.jsonl')
      writeFileSync(file, await site.manage('gatehouse_export_users'))
      await run(server, ['users', 'import', file])
      t.match(await signIn(server), { access: /^ey/ })
    })
  })
}
