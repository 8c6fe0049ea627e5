import type { Command } from 'commander'
import { type Cli, loadConfiguration } from './cli.ts'

/** `gatehouse serve`: the server itself. */
export function registerServe(program: Command, cli: Cli): void {
  program
    .command('serve')
    .description('run the server; what a first start lacks is made')
    .option('--port <port>', 'the port to listen on')
    .option('--host <address>', 'the address to listen on')
    .addHelpText('after', '\nExample: gatehouse serve --port 8080 --issuer https://login.example.com')
    .action(async ({ port, host }: { port?: string; host?: string }) => {
      const format = cli.options.json ? { 'log.format': 'json' } : {}
      const { config } = await loadConfiguration(cli, { port, host, ...format })
      const { serve } = await import('../main.ts')
      const { welcome } = await import('./welcome.ts')
      const served = await serve(config)
      // Standard output is the log's.
      if (!cli.options.json) cli.io.stderr.write(welcome(config, served))
    })
}
