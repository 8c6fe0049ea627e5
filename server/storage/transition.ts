import type { BatchOutcome, Driver, Step } from './driver.ts'
import type { Audit } from './records.ts'
import * as sql from './statements.ts'

/** The records of a transition, as the last steps of its batch: written with it or not at all. */
export function auditSteps(audit: Audit): Step[] {
  return audit.map((record) => ({
    sql: sql.INSERT_AUDIT_RECORD,
    values: [
      record.audit_id,
      record.at,
      record.event,
      record.actor,
      record.account_id,
      record.client_id,
      record.grant_id,
      record.session_id,
      record.address_prefix,
      record.request_id,
      record.detail,
    ],
  }))
}

/** Runs a guarded transition and its audit records in one batch. */
export function transition(driver: Driver, steps: readonly Step[], audit: Audit): Promise<BatchOutcome> {
  return driver.batch([...steps, ...auditSteps(audit)])
}

/** Whether a transition of one guarded step happened. */
export async function happens(driver: Driver, step: Step, audit: Audit = []): Promise<boolean> {
  const outcome = await transition(driver, [{ ...step, must_change: 1 }], audit)
  return outcome.committed
}

/** A step of a transition; one with a guard names the outcome of its miss. */
export interface NamedStep<Outcome extends string> extends Step {
  readonly otherwise?: Outcome
}

/** Runs a transition of several guarded steps. @returns `done`, or the outcome of the guard that missed. */
export async function decide<Outcome extends string>(
  driver: Driver,
  steps: readonly NamedStep<Outcome>[],
  audit: Audit,
  done: Outcome,
): Promise<Outcome> {
  const outcome = await transition(driver, steps, audit)
  if (outcome.committed) return done
  const otherwise = steps[outcome.failed_step]?.otherwise
  if (otherwise === undefined) throw new RangeError('a step missed that names no outcome')
  return otherwise
}
