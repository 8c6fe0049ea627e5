/** What the documents say, where a program can tell whether it is so. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { anchorsOf, blocksOf, linksOf } from './helpers/markdown.ts'

const ROOT = new URL('../', import.meta.url).pathname
/** Of the two tables of packages. */
const HEADINGS = ['runtime', 'development']
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')

t.test('every link leads somewhere', async (t) => {
  const documents = filesLike('*.md')
  t.ok(documents.includes('README.md'), 'they were found at all')
  t.strictSame(
    documents.flatMap((path) => deadLinks(path, read(path))),
    [],
  )
  const text = '# One\n[a](docs/nothing.md) [b](#two) [c](https://example.com) [d](#one) `[e](f)`'
  t.strictSame(deadLinks('README.md', text), ['README.md: docs/nothing.md', 'README.md: #two'])
})

t.test('every file that a document names is there', async (t) => {
  const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...filesLike('docs/*.md')]
  t.strictSame(
    documents.flatMap((path) => missingFiles(path, read(path))),
    [],
  )
  t.strictSame(missingFiles('x.md', '`server/app.ts` `server/nothing.ts` `test/NAME.ts` `test/x_*.ts`'), [
    'x.md: server/nothing.ts',
  ])
})

t.test('every package has its reason, and every reason its package', async (t) => {
  const { dependencies, devDependencies } = JSON.parse(read('package.json'))
  const rows = read('docs/decisions/0011_dependencies.md').matchAll(/^\| ((?:@?[a-z][\w./@-]*(?:, )?)+) *\|/gm)
  const named = [...rows].flatMap(([, names = '']) => names.split(', ')).filter((name) => !HEADINGS.includes(name))
  t.strictSame(named.sort(), Object.keys({ ...dependencies, ...devDependencies }).sort())
})

t.test('every decision is in the list', async (t) => {
  const list = linksOf(read('docs/decisions/README.md'))
  const decisions = filesLike('docs/decisions/0*.md').map((path) => path.slice('docs/decisions/'.length))
  t.ok(decisions.length > 5, 'they were found at all')
  t.strictSame(list.sort(), decisions.sort())
})

t.test('every error that the server makes is explained', async (t) => {
  const explained = read('docs/errors.md')
  const sources = filesLike('server/**/*.ts').map(read).join('\n')
  const made = [...sources.matchAll(/new (?:OAuthError\(\s*'\w+',\s*|Problem\(\d+,\s*)'([^']+)'/g)].map(
    (match) => match[1],
  )
  t.ok(made.length > 20, 'they were found at all')
  t.strictSame(
    [...new Set(made)].filter((description) => !explained.includes(String(description))),
    [],
  )
  const codes = new Set([...sources.matchAll(/new OAuthError\(\s*'(\w+)'/g)].map((match) => String(match[1])))
  t.ok(codes.has('invalid_grant'), 'codes were found, too')
  t.strictSame(
    [...codes].filter((code) => !explained.includes(code)),
    [],
  )
})

t.test('every public error code of the OAuth endpoints has an anchor', async (t) => {
  const anchors = anchorsOf(read('docs/errors.md'))
  for (const code of ['invalid_request', 'invalid_client', 'invalid_grant', 'invalid_scope', 'invalid_target']) {
    t.ok(anchors.has(code), code)
  }
})

t.test('the blocks that the documents show as JSON are JSON', async (t) => {
  for (const path of filesLike('*.md')) {
    for (const { language, text, line } of blocksOf(read(path))) {
      if (language === 'json') t.doesNotThrow(() => JSON.parse(text), `${path} line ${line}`)
    }
  }
})

function filesLike(pattern: string): string[] {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', `:(glob)${pattern}`]
  const deep = pattern === '*.md' ? [':(glob)**/*.md'] : []
  const paths = execFileSync('git', [...args, ...deep], { cwd: ROOT })
    .toString()
    .split('\0')
  return [...new Set(paths)].filter((path) => path !== '' && existsSync(join(ROOT, path)))
}

function deadLinks(path: string, text: string): string[] {
  const isDead = (link: string) => {
    const [file = '', anchor] = link.split('#', 2)
    const target = join(ROOT, file === '' ? path : normalize(join(dirname(path), file)))
    if (!existsSync(target)) return true
    if (anchor === undefined) return false
    return !anchorsOf(file === '' ? text : readFileSync(target, 'utf8')).has(anchor)
  }
  return linksOf(text)
    .filter((link) => !/^(https?|mailto):/.test(link) && isDead(link))
    .map((link) => `${path}: ${link}`)
}

/** Paths in code, but for patterns and placeholders. */
function missingFiles(path: string, text: string): string[] {
  return [...text.matchAll(/`((?:server|keys|config|test|web|migrations|bin|docs|examples)\/[\w./-]*)`/g)]
    .map((match) => match[1] ?? '')
    .filter((file) => !/NAME|NNNN/.test(file) && !existsSync(join(ROOT, file)))
    .map((file) => `${path}: ${file}`)
}
