import * as sql from '../../server/storage/statements.ts'

/** Each text that `statements.ts` can give, but for the one that makes a table, with a name. */
export function everyStatement(): [string, string][] {
  const texts = Object.entries(sql).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const plain = texts.filter(([, text]) => !text.startsWith('CREATE'))
  for (const [index, conditions] of subsets(sql.REVOKE_CONDITION_NAMES).entries()) {
    if (conditions.length > 0) plain.push([`REVOKE_GRANTS_${index}`, sql.revokeGrants(conditions)])
  }
  for (const [index, columns] of subsets(['account_id', 'client_id', 'session_id'] as const).entries()) {
    plain.push([`LIST_GRANTS_${index}`, sql.listGrants(columns)])
  }
  for (const [index, columns] of subsets(['event', 'account_id'] as const).entries()) {
    plain.push([`LIST_AUDIT_${index}`, sql.listAudit(columns)])
  }
  return plain
}

function subsets<T>(all: readonly T[]): T[][] {
  return Array.from({ length: 2 ** all.length }, (_, bits) => all.filter((_member, index) => (bits >> index) & 1))
}
