import { Command, CommanderError } from 'commander'
import { registerApply } from './apply.ts'
import { registerAudit } from './audit.ts'
import { registerBackup } from './backup.ts'
import type { Cli, GlobalOptions } from './cli.ts'
import { registerClients } from './clients.ts'
import { registerConfig } from './config.ts'
import { registerConsents } from './consents.ts'
import { registerDb } from './db.ts'
import { registerDoctor } from './doctor.ts'
import { CliError, EXIT_CODES } from './exit.ts'
import { registerGrants } from './grants.ts'
import { type Io, processIo } from './io.ts'
import { registerKeys } from './keys.ts'
import { registerLegacyTokens } from './legacy_tokens.ts'
import { registerLogouts } from './logouts.ts'
import { registerQuickstart } from './quickstart.ts'
import { registerResources } from './resources.ts'
import { registerRestore } from './restore.ts'
import { registerServe } from './serve.ts'
import { registerSessions } from './sessions.ts'
import { registerSetupLink } from './setup_link.ts'
import { registerSignals } from './signals.ts'
import { registerSnippet } from './snippet.ts'
import { registerToken } from './token.ts'
import { registerUsers } from './users.ts'
import { packageVersion } from './version.ts'

const COMMANDS: readonly ((program: Command, cli: Cli) => void)[] = [
  registerServe,
  registerQuickstart,
  registerDoctor,
  registerSetupLink,
  registerUsers,
  registerClients,
  registerResources,
  registerSessions,
  registerGrants,
  registerConsents,
  registerLogouts,
  registerSignals,
  registerLegacyTokens,
  registerKeys,
  registerBackup,
  registerRestore,
  registerDb,
  registerApply,
  registerSnippet,
  registerToken,
  registerAudit,
  registerConfig,
]

const EXIT_HELP = `
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 not found, 4 conflict, 5 unreachable.`

/**
 * The command line.
 *
 * @param argv what follows the program's name
 * @returns the exit code
 */
export async function main(argv: readonly string[], io: Io = processIo()): Promise<number> {
  const program = createProgram(io)
  const cli: Cli = {
    io,
    exit_code: 0,
    get options() {
      return program.opts<GlobalOptions>()
    },
  }
  for (const register of COMMANDS) register(program, cli)
  try {
    await program.parseAsync(argv, { from: 'user' })
    return cli.exit_code
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    return report(
      io,
      argv.includes('--json'),
      error instanceof CommanderError ? usageError(program, argv, error) : error,
    )
  }
}

function createProgram(io: Io): Command {
  return new Command('gatehouse')
    .description('Gatehouse, an authorization server: runs it and administers it.')
    .version(packageVersion(), '--version', 'print the version')
    .option('--json', 'print one JSON document; errors, too')
    .option('--config <file>', 'the configuration file')
    .option('--data-dir <path>', 'where database and key file are')
    .option('--database <database>', 'sqlite:PATH or postgres://…')
    .option('--issuer <url>', 'the public URL of the server')
    .option('--url <issuer>', 'administer the server there, rather than the configured database')
    .option('--token-file <file>', 'with --url: the file that holds an access token for its admin API')
    .option('--client-id <id>', 'with --url: the client to be; its secret is in GATEHOUSE_CLIENT_SECRET')
    .addHelpText('after', EXIT_HELP)
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      // Errors are reported by `main`, once, as text or as JSON.
      writeErr: () => undefined,
      outputError: () => undefined,
    })
}

/** In commander's words, with where to read on. */
function usageError(program: Command, argv: readonly string[], { code, message }: CommanderError): CliError {
  let command = program
  let path = 'gatehouse'
  for (const word of argv) {
    const below = command.commands.find((candidate) => candidate.name() === word)
    if (below === undefined) continue
    command = below
    path = `${path} ${word}`
  }
  const names = command.commands.map((candidate) => candidate.name()).join(', ')
  if (message.includes("unknown option '--password'") || message.includes("unknown option '--client-secret'")) {
    const why = 'A secret is never an argument: others on this machine can read it, and your shell keeps it.'
    return new CliError(
      'usage',
      why,
      'Change it if it is a real one. Type it at the prompt, or send it to standard input.',
    )
  }
  const said = code === 'commander.help' ? `${path} needs a command: ${names}.` : message.replace(/^error: /, '')
  return new CliError('usage', said, `Read: ${path} --help`)
}

function report({ stderr }: Io, json: boolean, thrown: unknown): number {
  const error = thrown instanceof CliError ? thrown : wrap(thrown)
  const { failure, message, remedy } = error
  if (json) {
    const members = { code: failure, message, remedy, problems: problemsOf(error.cause) }
    stderr.write(`${JSON.stringify({ error: members }, null, 2)}\n`)
  } else {
    stderr.write(`${[`Error: ${message}`, remedy].filter((line) => line !== undefined).join('\n')}\n`)
  }
  return EXIT_CODES[failure]
}

/** By name, so that the modules that throw these are loaded only by the commands that use them. */
function wrap(error: unknown): CliError {
  if (!(error instanceof Error)) return new CliError('failed', String(error))
  const { name, message } = error
  if (name === 'ConfigError') return new CliError('usage', message, undefined, { cause: error })
  if (name === 'StorageUnavailable') {
    return new CliError('unreachable', message, 'Check the database; `gatehouse doctor` says more.', { cause: error })
  }
  if ('syscall' in error && error.syscall === 'listen') {
    const remedy = message.includes('EADDRINUSE')
      ? 'Another program listens there: end it, or listen elsewhere (--port 3001, or GATEHOUSE_PORT=3001 npm start).'
      : 'Correct `host` or `port`: this machine cannot listen there.'
    return new CliError('failed', message, remedy)
  }
  if (name === 'Error' || name === 'VaultError') return new CliError('failed', message, undefined, { cause: error })
  return new CliError('failed', error.stack ?? message, 'This is a fault of Gatehouse. Please report it.')
}

function problemsOf(cause: unknown): unknown {
  return cause instanceof Error && 'problems' in cause ? cause.problems : undefined
}
