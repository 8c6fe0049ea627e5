/**
 * `gatehouse serve`, deliberately broken: it acknowledges before it commits. SQLite is told to commit only some time
 * after the driver believes that it has, so that whatever was acknowledged in between dies with the process. The crash
 * run has to notice.
 */
import Database from 'better-sqlite3'
import { main } from '../../server/cli/index.ts'

const LATE_MS = 50
const NOTHING_RUN = { changes: 0, lastInsertRowid: 0 }

// oxlint-disable-next-line typescript/unbound-method -- it is called on its database below
const prepare: (this: Database.Database, source: string) => Database.Statement<[]> = Database.prototype.prepare

function prepareBroken(this: Database.Database, source: string): Database.Statement<[]> {
  const statement = prepare.call(this, source)
  const run = statement.run.bind(statement)
  let waiting = false
  const runLate = () => {
    waiting = false
    if (this.inTransaction) run()
  }
  if (source === 'BEGIN IMMEDIATE') statement.run = () => (this.inTransaction ? NOTHING_RUN : run())
  if (source === 'COMMIT') {
    statement.run = () => {
      if (!waiting) setTimeout(runLate, LATE_MS)
      waiting = true
      return NOTHING_RUN
    }
  }
  return statement
}

Object.defineProperty(Database.prototype, 'prepare', { value: prepareBroken })
process.exitCode = await main(['serve'])
