import type { Command } from 'commander'
import { type Cli, print } from './cli.ts'
import { count } from './output.ts'

/** `gatehouse doctor`: is all well, and what to do where it is not. */
export function registerDoctor(program: Command, cli: Cli): void {
  program
    .command('doctor')
    .description('examine configuration, files, database, keys and the running server; change nothing')
    .addHelpText('after', '\nExample: gatehouse doctor --json')
    .action(async () => {
      const { examine } = await import('./doctor_checks.ts')
      const findings = await examine(cli)
      const failed = findings.filter(({ status }) => status === 'fail').length
      const lines = findings.map(({ status, check, message, remedy }) =>
        [`${status.padEnd(4)}  ${check}: ${message}`, ...(remedy === undefined ? [] : [`      ${remedy}`])].join('\n'),
      )
      const summary = failed === 0 ? 'Nothing stands in the way.' : `${count(failed, 'finding')} to mend.`
      print(cli, { ok: failed === 0, findings }, [...lines, '', summary].join('\n'))
      if (failed > 0) cli.exit_code = 1
    })
}
