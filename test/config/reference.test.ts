import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import t from 'tap'
import { loadConfig } from '../../config/load.ts'
import { SETTINGS } from '../../config/settings.ts'

const ROOT = new URL('../../', import.meta.url).pathname

t.test('the reference names every key and every variable', async (t) => {
  const text = readFileSync(`${ROOT}config/README.md`, 'utf8')
  const missing = [...SETTINGS.values()].filter(
    ({ path, environment }) => !text.includes(`| \`${path}\` | \`${environment}\` |`),
  )
  t.same(missing, [])
  t.doesNotThrow(() =>
    execFileSync(process.execPath, ['scripts/generate_config_reference.ts', '--check'], { cwd: ROOT }),
  )
})

t.test('the example file is a configuration', async (t) => {
  const { config, sources } = loadConfig({ env: {}, flags: { config: 'config/gatehouse.example.yaml' }, cwd: ROOT })
  t.equal(config.issuer, 'https://login.example.com')
  t.match(sources.get('keys.key_encryption_key_file'), /^config\/gatehouse\.example\.yaml:\d+$/)
})
