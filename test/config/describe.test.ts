import t from 'tap'
import { describeConfig, maskDatabase } from '../../config/describe.ts'
import { loadConfig } from '../../config/load.ts'
import { SETTINGS } from '../../config/settings.ts'

t.test('every setting is shown with its value and its source', async (t) => {
  const env = { GATEHOUSE_PORT: '4000' }
  const { config, sources } = loadConfig({ env, flags: {}, cwd: t.testdir() })
  const shown = describeConfig(config, sources)
  t.equal(shown.length, SETTINGS.size)
  t.notOk(
    shown.find(({ value }) => value === undefined),
    'none is without a value',
  )
  t.strictSame(
    shown.find(({ path }) => path === 'port'),
    { path: 'port', value: 4000, source: 'GATEHOUSE_PORT' },
  )
})

t.test("the database's password is never shown", async (t) => {
  for (const database of [
    'postgres://a:hunter2@db/x',
    'postgresql://db/x?user=a&password=hunter2&sslpassword=hunter2',
  ]) {
    const { config, sources } = loadConfig({ env: { GATEHOUSE_DATABASE: database }, flags: {}, cwd: t.testdir() })
    const shown = JSON.stringify(describeConfig(config, sources))
    t.notMatch(shown, /hunter2/)
    t.match(shown, /\*\*\*/)
  }
  t.equal(maskDatabase('sqlite:/data/gatehouse.db'), 'sqlite:/data/gatehouse.db')
})
