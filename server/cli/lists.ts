import { type Cli, note, print, withAdmin } from './cli.ts'
import { table } from './output.ts'
import { listAll } from './transport.ts'

type Query = Readonly<Record<string, string | undefined>>

/**
 * Prints a whole list, however many pages it has.
 *
 * @param columns heading by member
 * @param limit at most so many; all when it is left out
 */
export async function printList(
  cli: Cli,
  path: string,
  query: Query,
  columns: Readonly<Record<string, string>>,
  limit?: number,
): Promise<void> {
  const items = await withAdmin(cli, (admin) => listAll(admin, path, query, limit))
  print(cli, { items }, items.length === 0 ? 'None.' : table(items, columns))
  if (items.length === limit) note(cli, `These are the first ${limit}. See more with a higher --limit, or all without.`)
}
