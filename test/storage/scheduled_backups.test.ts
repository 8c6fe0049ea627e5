import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { migrate } from '../../server/storage/migrate.ts'
import { backupName, outlived, runBackupSchedule } from '../../server/storage/scheduled_backups.ts'
import { openSqlite } from '../../server/storage/sqlite.ts'
import { assertWhole } from '../../server/storage/sqlite_backup.ts'
import { temporaryDirectory } from '../helpers/process.ts'

const DAY = 86_400
const NOON = Date.UTC(2026, 10, 27, 12) / 1000

t.test('one backup for each period, whoever asks and how often', async (t) => {
  t.equal(backupName(NOON, DAY), 'gatehouse-20261127T000000Z.db')
  t.equal(backupName(NOON + 3600, DAY), backupName(NOON, DAY))
  t.equal(backupName(NOON + DAY, DAY), 'gatehouse-20261128T000000Z.db')
})

t.test('the oldest go first, and nothing that is not a backup', async (t) => {
  const files = [
    'gatehouse-20261127T000000Z.db',
    'gatehouse-20261125T000000Z.db',
    'notes.db',
    'gatehouse-20261126T000000Z.db',
  ]
  t.strictSame(outlived(files, 2), ['gatehouse-20261125T000000Z.db'])
  t.strictSame(outlived(files, 3), [])
})

t.test('a backup is made when it is due, is whole, and takes the place of the oldest', async (t) => {
  const folder = temporaryDirectory(t)
  const path = join(folder, 'a.db')
  const driver = openSqlite(path)
  t.teardown(() => driver.close())
  await migrate(driver, { now: () => NOON })
  const policy = { directory: join(folder, 'backups'), every_seconds: DAY, keep: 2 }
  const made = await runBackupSchedule(path, policy, NOON)
  t.match(made, /gatehouse-20261127T000000Z\.db$/)
  t.doesNotThrow(() => assertWhole(made ?? ''))
  t.equal(await runBackupSchedule(path, policy, NOON + 60), undefined, 'that of today is there')
  for (const days of [1, 2]) await runBackupSchedule(path, policy, NOON + days * DAY)
  t.strictSame(readdirSync(policy.directory).toSorted(), [
    'gatehouse-20261128T000000Z.db',
    'gatehouse-20261129T000000Z.db',
  ])
})
