import type { Command } from 'commander'
import { type Cli, withAdmin } from './cli.ts'

/** `gatehouse quickstart`: the whole main job, shown. */
export function registerQuickstart(program: Command, cli: Cli): void {
  program
    .command('quickstart')
    .description('show the whole main job on the running server: sign in, verify, refresh, replay, revoke')
    .addHelpText('after', '\nExample: gatehouse quickstart    (while `gatehouse serve` runs elsewhere)')
    .action(async () => {
      const { quickstart } = await import('./quickstart_tour.ts')
      await withAdmin(cli, (admin) => quickstart(cli, admin))
    })
}
