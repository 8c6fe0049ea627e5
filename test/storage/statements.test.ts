import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readMigrations } from '../../server/storage/migrate.ts'
import { everyStatement } from './every_statement.ts'

const ONE_ENGINE_ONLY = /SELECT \*|FOR UPDATE|\bnow\(|\barray\b|\btrigger\b|\bserial\b|AUTOINCREMENT|json_|::/i

t.test('one SQL text for both engines: nothing that only one of them understands', async (t) => {
  for (const [name, text] of everyStatement()) t.notMatch(text, ONE_ENGINE_ONLY, name)
  for (const { name, text } of readMigrations()) t.notMatch(text, ONE_ENGINE_ONLY, name)
})

t.test('single use and every compare-and-swap is one conditional statement', async (t) => {
  const texts = new Map(everyStatement())
  for (const name of ['ROTATE_GRANT', 'TOUCH_GRANT', 'RECORD_LATE_REPLAY']) {
    t.match(texts.get(name), /WHERE grant_id = \$1 AND generation = \$2 AND revoked_at IS NULL/, name)
  }
  t.match(texts.get('CLAIM_ONE_TIME_HANDLE'), /^DELETE .* expires_at > \$3$/)
})

t.test('the stores hold no SQL of their own', async (t) => {
  const folder = join(import.meta.dirname, '../../server/storage')
  for (const name of ['account', 'audit', 'client', 'grant', 'key', 'resource', 'sql', 'throttle']) {
    const source = readFileSync(join(folder, `${name}_store.ts`), 'utf8')
    t.notMatch(source, /\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\s+\w+\s/, name)
  }
})
