/** The Python tests of gatehouse_drf, with each version of Django. */
import t from 'tap'
import { DJANGO_VERSIONS, djangoPackages, djangoSite } from '../helpers/django.ts'
import { INSTALL_SECONDS } from '../helpers/python.ts'

t.setTimeout((INSTALL_SECONDS + 60) * 2_000)
for (const version of DJANGO_VERSIONS) {
  const python = await djangoPackages(version)
  const skip = 'unavailable' in python && `no Python packages: ${python.unavailable}`
  if (skip) process.stderr.write(`test/django/unit.test.ts SKIPPED: ${skip}\n`)

  t.test(`Django ${version}`, { skip }, async (t) => {
    if ('unavailable' in python) return
    const { manage } = await djangoSite(t, python.bin, { gatehouse: {} })
    t.equal(
      await manage('makemigrations', '--check', '--dry-run'),
      'No changes detected\n',
      'the migration is complete',
    )
    const ran = await manage('test', 'unit', '-t', '..', '--verbosity=1').catch((error: unknown) => {
      t.fail(String(error))
      return ''
    })
    t.match(ran, /Found \d{2,} test\(s\)/)
  })
}
