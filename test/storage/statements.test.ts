import { readdirSync, readFileSync } from 'node:fs'
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
  t.match(texts.get('CLAIM_PUSHED_REQUEST'), /^DELETE .*\n.* client_id = \$2 AND expires_at > \$3 RETURNING/)
  t.match(texts.get('CLAIM_INTERACTION'), /^DELETE .* expires_at > \$2$/)
  t.match(texts.get('CLAIM_AUTHORIZATION_CODE'), /^UPDATE .*\n.* claimed_at IS NULL AND expires_at > \$2$/)
  t.match(texts.get('REDEEM_DEVICE_CODE'), /^UPDATE .*\n.* redeemed_at IS NULL\n\s+AND expires_at > \$2$/)
  t.match(texts.get('CLAIM_ID'), /WHERE used_ids.expires_at <= \$3$/)
})

t.test('every statement that revokes says what it has revoked: whoever keeps status lists hears of it', async (t) => {
  const revoking = everyStatement().filter(([, text]) => /\bSET\b[^;]*\brevoked_at = /.test(text))
  t.ok(revoking.length > 10)
  for (const [name, text] of revoking) t.match(text, /RETURNING revoked_at, status_index AS revoked_index$/, name)
  t.match(
    new Map(everyStatement()).get('INSERT_REVOKED_ACCESS_TOKEN'),
    /RETURNING revoked_at, jti AS revoked_jti, expires_at$/,
  )
})

t.test('the stores hold no SQL of their own', async (t) => {
  const folder = join(import.meta.dirname, '../../server/storage')
  const stores = readdirSync(folder).filter((name) => name.endsWith('_store.ts'))
  t.equal(stores.length, 17)
  for (const name of stores) {
    const source = readFileSync(join(folder, name), 'utf8')
    t.notMatch(source, /\b(SELECT|INSERT INTO|UPDATE|DELETE FROM)\s+\w+\s/, name)
  }
})
