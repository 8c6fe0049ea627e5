import type { Command } from 'commander'
import { Option } from 'commander'
import { SIGNING_ALGORITHMS } from '../protocol/resource.ts'
import { type Cli, note, print, withAdmin } from './cli.ts'
import { printList } from './lists.ts'
import { printable, table } from './output.ts'
import { wholeNumber } from './parsers.ts'
import { call, member } from './transport.ts'

/** `gatehouse keys …`: what tokens are signed with. */
export function registerKeys(program: Command, cli: Cli): void {
  const keys = program.command('keys').description('what tokens are signed with')

  keys
    .command('list')
    .description('list the signing keys and their states')
    .addHelpText('after', '\nExample: gatehouse keys list')
    .action(async () => {
      const columns = { kid: 'key', alg: 'algorithm', state: 'state', created_at: 'created', activated_at: 'activated' }
      const known = { fetched_by: 'fetched by', waits_for: 'waits for' }
      await printList(cli, 'keys', {}, { ...columns, retired_at: 'retired', ...known })
    })

  keys
    .command('fetchers')
    .description('list who fetched the key set, when last, and whether the next key was in it')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse keys fetchers')
    .action(async ({ limit }: { limit?: number }) => {
      const columns = { resource: 'resource', address_prefix: 'address', agent: 'agent', fetched_at: 'last fetch' }
      await printList(cli, 'keys/fetchers', {}, { ...columns, has_next: 'knows the next key' }, limit)
    })

  keys
    .command('rotate')
    .description('let the next key sign; the one before verifies until its last token has expired')
    .addOption(new Option('--alg <alg>', 'the algorithm (RS256)').choices(SIGNING_ALGORITHMS))
    .option('--emergency', 'keys may be stolen: all of the algorithm are replaced, and no earlier token verifies')
    .option('--force', 'do not wait until every verifier has fetched the next key')
    .addHelpText('after', '\nExample: gatehouse keys rotate --emergency')
    .action(async ({ alg, emergency, force }: { alg?: string; emergency?: boolean; force?: boolean }) => {
      const rotated = await withAdmin(cli, (admin) => call(admin, 'POST', 'keys/rotate', { alg, emergency, force }))
      print(cli, rotated, `${printable(member(rotated, 'kid'))} signs now.`)
      const unaware = member(rotated, 'unaware')
      if (!Array.isArray(unaware) || unaware.length === 0) return
      const columns = { resource: 'resource', address_prefix: 'address', agent: 'agent', fetched_at: 'last fetch' }
      note(cli, `These had not fetched it yet, and refuse its tokens until they do:\n${table(unaware, columns)}`)
    })

  keys
    .command('rewrap')
    .description('seal every secret under the first key of the key-encryption key file; the old key may go then')
    .addHelpText('after', '\nExample: gatehouse keys rewrap')
    .action(async () => {
      const done = await withAdmin(cli, (admin) => call(admin, 'POST', 'keys/rewrap', {}))
      print(cli, done, `${printable(member(done, 'rewrapped'))} secrets are sealed anew.`)
    })
}
