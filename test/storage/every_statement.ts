import * as sql from '../../server/storage/statements.ts'
import * as authorization from '../../server/storage/statements_authorization.ts'
import * as sessions from '../../server/storage/statements_sessions.ts'
import * as signals from '../../server/storage/statements_signals.ts'
import * as status from '../../server/storage/statements_status.ts'

/** Each text that the modules of statements can give, but for the one that makes a table, with a name. */
export function everyStatement(): [string, string][] {
  const members = [sql, authorization, sessions, signals, status].flatMap((module) =>
    Object.entries<unknown>({ ...module }),
  )
  const texts = members.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const plain = texts.filter(([, text]) => !text.startsWith('CREATE'))
  for (const [index, conditions] of subsets(sql.REVOKE_CONDITION_NAMES).entries()) {
    if (conditions.length > 0) plain.push([`REVOKE_GRANTS_${index}`, sql.revokeGrants(conditions)])
  }
  for (const [index, columns] of subsets(['account_id', 'client_id', 'session_id'] as const).entries()) {
    plain.push([`LIST_GRANTS_${index}`, sql.listGrants(columns)])
  }
  for (const [index, columns] of subsets(['origin'] as const).entries()) {
    plain.push([`LIST_CLIENTS_${index}`, sql.listClients(columns)])
  }
  for (const [index, columns] of subsets(['event', 'account_id'] as const).entries()) {
    plain.push([`LIST_AUDIT_${index}`, sql.listAudit(columns)])
  }
  for (const [index, columns] of subsets(authorization.PROGRESS_NAMES).entries()) {
    if (columns.length > 0) plain.push([`UPDATE_INTERACTION_${index}`, authorization.updateInteraction(columns)])
  }
  for (const [index, columns] of subsets(['account_id', 'client_id'] as const).entries()) {
    plain.push([`LIST_CONSENTS_${index}`, authorization.listConsents(columns)])
  }
  for (const [index, columns] of subsets(['client_id', 'session_id'] as const).entries()) {
    plain.push([`LIST_LOGOUT_DELIVERIES_${index}`, sessions.listLogoutDeliveries(columns)])
  }
  for (const [index, columns] of subsets(['account_id'] as const).entries()) {
    plain.push([`LIST_SESSIONS_${index}`, sessions.listSessions(columns)])
  }
  for (const [index, conditions] of subsets(sessions.END_CONDITION_NAMES).entries()) {
    if (conditions.length === 0) continue
    plain.push([`END_SESSIONS_${index}`, sessions.endSessions(conditions)])
    plain.push([`REVOKE_GRANTS_OF_ENDED_${index}`, sessions.revokeGrantsOfEnded(conditions)])
    plain.push([`QUEUE_DELIVERIES_${index}`, sessions.queueDeliveries(conditions)])
  }
  return plain
}

function subsets<T>(all: readonly T[]): T[][] {
  return Array.from({ length: 2 ** all.length }, (_, bits) => all.filter((_member, index) => (bits >> index) & 1))
}
