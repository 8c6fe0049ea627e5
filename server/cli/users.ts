import type { Command } from 'commander'
import { type Cli, print, withAdmin } from './cli.ts'
import { printList } from './lists.ts'
import { details } from './output.ts'
import { collect, jsonObject, wholeNumber } from './parsers.ts'
import { readSecret } from './secret_input.ts'
import { call, objectOf, segment, textOf } from './transport.ts'
import { registerUsersExport } from './users_export.ts'
import { registerUsersImport } from './users_import.ts'

type UpdateOptions = Pick<CreateOptions, 'email' | 'emailVerified' | 'name' | 'role' | 'profileJson'>

interface CreateOptions {
  readonly email?: string
  readonly emailVerified?: boolean
  readonly name?: string
  readonly role?: readonly string[]
  readonly profileJson?: object
  readonly passwordStdin?: boolean
  readonly password: boolean
}

const PROFILE = 'claims about them: given_name, locale, phone_number, address …'

/** `gatehouse users …`: the people who can sign in. */
export function registerUsers(program: Command, cli: Cli): void {
  const users = program.command('users').description('the people who can sign in')

  users
    .command('create <username>')
    .description('create an account; its password is asked for, or read from standard input')
    .option('--email <address>', 'e-mail address')
    .option('--email-verified', 'the address is known to be theirs')
    .option('--name <name>', 'the name that they are shown by')
    .option('--role <role>', 'a role; `admin` may administer this server (repeat for more)', collect)
    .option('--profile-json <json>', PROFILE, jsonObject)
    .option('--password-stdin', 'read the password from standard input')
    .option('--no-password', 'an account that cannot sign in with a password')
    .addHelpText('after', '\nExample: gatehouse users create alice --email alice@example.com --role admin')
    .action(async (username: string, options: CreateOptions) => create(cli, username, options))

  users
    .command('list')
    .description('list the accounts')
    .option('--limit <number>', 'at most so many', wholeNumber)
    .addHelpText('after', '\nExample: gatehouse users list --json')
    .action(async ({ limit }: { limit?: number }) => {
      const columns = { username: 'username', email: 'e-mail', name: 'name', roles: 'roles', disabled_at: 'disabled' }
      await printList(cli, 'accounts', {}, { ...columns, account_id: 'account' }, limit)
    })

  users
    .command('show <username>')
    .description('show an account, by username or account id')
    .addHelpText('after', '\nExample: gatehouse users show alice')
    .action(async (username: string) => {
      const account = await withAdmin(cli, (admin) => call(admin, 'GET', `accounts/${segment(username)}`))
      print(cli, account, details(objectOf(account)))
    })

  users
    .command('update <username>')
    .description('change what is known of a person')
    .option('--email <address>', 'e-mail address')
    .option('--email-verified', 'the address is known to be theirs')
    .option('--name <name>', 'the name that they are shown by')
    .option('--role <role>', 'all their roles, in place of those they have (repeat for more)', collect)
    .option('--profile-json <json>', `${PROFILE}; null takes a member away`, jsonObject)
    .addHelpText('after', `\nExample: gatehouse users update alice --profile-json '{"locale":"de-AT"}'`)
    .action(async (username: string, { role: roles, emailVerified, profileJson, ...rest }: UpdateOptions) => {
      const body = { ...rest, roles, email_verified: emailVerified, profile: profileJson }
      const account = await withAdmin(cli, (admin) => call(admin, 'PATCH', `accounts/${segment(username)}`, body))
      print(cli, account, `Changed ${username}.`)
    })

  registerUsersImport(users, cli)
  registerUsersExport(users, cli)

  const transitions: [verb: string, path: string, done: string, description: string][] = [
    ['disable', 'disable', 'is disabled, and signed out everywhere', 'disable an account and end all its grants'],
    ['enable', 'enable', 'may sign in again', 'enable a disabled account'],
    [
      'unlock',
      'reset-throttle',
      'is not held up by earlier failures any more',
      'forget the failed sign-ins of an account',
    ],
  ]
  for (const [verb, path, done, description] of transitions) {
    users
      .command(`${verb} <username>`)
      .description(description)
      .addHelpText('after', `\nExample: gatehouse users ${verb} alice`)
      .action(async (username: string) => {
        const account = await withAdmin(cli, async (admin) => {
          await call(admin, 'POST', `accounts/${segment(username)}/${path}`)
          return call(admin, 'GET', `accounts/${segment(username)}`)
        })
        print(cli, account, `${username} ${done}.`)
      })
  }
}

async function create(cli: Cli, username: string, options: CreateOptions): Promise<void> {
  const { email, name, role: roles, profileJson: profile } = options
  const from = { stdin: options.passwordStdin ?? false, option: '--password-stdin (or --no-password)', confirm: true }
  const password = options.password ? await readSecret(cli, 'password', from) : undefined
  const body = { username, email, name, roles, profile, email_verified: options.emailVerified, password }
  const account = await withAdmin(cli, (admin) => call(admin, 'POST', 'accounts', body))
  print(cli, account, `Created ${username} (account ${textOf(account, 'account_id')}).`)
}
