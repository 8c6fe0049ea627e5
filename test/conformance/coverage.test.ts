/** `docs/conformance.md` names a test for every module of the certification plans: here it is held to them. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { metadataProblems, registeredMetadata } from '../../server/protocol/client_registration.ts'
import { blocksOf } from '../helpers/markdown.ts'

const ROOT = new URL('../../', import.meta.url)
const FAPI2 = 'fapi2-security-profile-final-'
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8')

interface Row {
  readonly path: string
  readonly module: string
  /** What the title says after the module. */
  readonly said: string
}

/** The rows of the tables, each with the file that was named last. */
function rowsOf(markdown: string): Row[] {
  let path = ''
  return markdown.split('\n').flatMap((line) => {
    path = /Tests: `([^`]+)`/.exec(line)?.[1] ?? path
    const [, module, said] = /^\| `([^`]+)`\s*\|[^|]*\| ([^|]+?)\s*\|$/.exec(line) ?? []
    return module === undefined || said === undefined ? [] : [{ path, module, said }]
  })
}

/** The tests of a file, one for each module that a title names. */
function testsIn(path: string): Row[] {
  const titles = [...read(path).matchAll(/t\.test\(\s*'([^']+)'/g)].map(([, title = '']) => title)
  return titles.flatMap((title) => {
    const [modules = '', ...said] = title.split(': ')
    const name = (module: string) => (module.startsWith(FAPI2) ? module.slice(FAPI2.length) : module)
    return modules.split(', ').map((module) => ({ path, module: name(module), said: said.join(': ') }))
  })
}

const textOf = ({ path, module, said }: Row) => `${path}: ${module}: ${said}`

t.test('every test that the document names is there, and the other way round', async (t) => {
  const rows = rowsOf(read('docs/conformance.md'))
  const paths = [...new Set(rows.map(({ path }) => path))]
  t.ok(rows.length > 100, 'they were found at all')
  t.strictSame(rows.map(textOf).sort(), paths.flatMap(testsIn).map(textOf).sort())
})

t.test('every file of modules is in the document', async (t) => {
  const document = read('docs/conformance.md')
  const files = readdirSync(new URL('test/conformance', ROOT)).filter((file) => /modules\.ts$|\.test\.ts$/.test(file))
  t.strictSame(
    files.filter((file) => !document.includes(`\`test/conformance/${file}\``)),
    [],
  )
})

t.test('the client that the document shows can be registered', async (t) => {
  const [example] = blocksOf(read('docs/conformance.md')).filter(({ language }) => language === 'json')
  const metadata = registeredMetadata(undefined, JSON.parse(example?.text ?? ''))
  const { grant_types, token_endpoint_auth_method } = metadata
  const offered = {
    grant_types,
    token_endpoint_auth_methods: [token_endpoint_auth_method],
    resources: new Set<string>(),
    profile: 'oauth21',
    outbound_allow: [],
  } as const
  t.strictSame(metadataProblems(metadata, offered), [])
  t.equal(metadata.require_pkce, false)
})
