import type { Command } from 'commander'
import { type Cli, loadConfiguration, print } from './cli.ts'
import { table } from './output.ts'

/** `gatehouse config …`: what is configured. */
export function registerConfig(program: Command, cli: Cli): void {
  const configuration = program.command('config').description('what is configured')

  configuration
    .command('print')
    .description('print the configuration in force, secrets masked')
    .option('--sources', 'and where each value came from')
    .addHelpText('after', '\nExample: gatehouse config print --sources')
    .action(async ({ sources: with_sources }: { sources?: boolean }) => {
      const { config, sources } = await loadConfiguration(cli)
      const { describeConfig } = await import('../../config/describe.ts')
      const settings = describeConfig(config, sources)
      const shown = with_sources ? settings : settings.map(({ path, value }) => ({ path, value }))
      const columns = { path: 'setting', value: 'value' }
      print(cli, { settings: shown }, table(shown, with_sources ? { ...columns, source: 'from' } : columns))
    })

  configuration
    .command('schema')
    .description('print the JSON Schema of the configuration file')
    .addHelpText('after', '\nExample: gatehouse config schema > gatehouse.schema.json')
    .action(async () => {
      const { ConfigSchema } = await import('../../config/schema.ts')
      print(cli, ConfigSchema, JSON.stringify(ConfigSchema, null, 2))
    })
}
