/**
 * The README's code blocks, run in order against a server of their own.
 *
 * A block says in a comment before it what becomes of it: `run NAME` and `start NAME READY` are shell, `api FILE PORT`
 * is an API that a token is shown to, `client FILE PORT` is a site that alice signs in to, `file NAME` is there for a
 * later block, `skip REASON` is not run. A `text` or `json` block is what the block before it prints.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { siteAt } from './helpers/clients.ts'
import { assertOutput, canJson, type Place, preparePlace, runShell, start } from './helpers/documented.ts'
import { blocksOf, jsonShape, missingFrom } from './helpers/markdown.ts'
import { createBrowser, signInThroughPages } from './helpers/web_client.ts'

const ROOT = new URL('../', import.meta.url).pathname
const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const PASSWORD = 'correct horse battery staple'

/** Starts a program that was written before, with the variables that blocks have exported. */
async function startListening(t: Test, place: Place, name: string, port: string): Promise<void> {
  const wait = `until curl -s -o /dev/null localhost:${place.adapted(port)}; do sleep 0.1; done; echo ready; wait`
  await start(t, place, `. "$STATE"; node ${join(place.folder, name)} & ${wait}`, /ready/)
}

/** An API of the README lets a good token in, and nobody else. */
async function assertVerifies(t: Test, place: Place, port: string): Promise<void> {
  const url = `http://localhost:${place.adapted(port)}/me`
  const reply = await fetch(`${place.issuer}/api/token/`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'alice', password: PASSWORD }),
  })
  const { access } = Object(await reply.json())
  const get = (token: string | undefined) =>
    fetch(url, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
  const good = await get(access)
  t.equal(good.status, 200, 'RFC 9068 §4: a good token is taken')
  t.match(await good.json(), { iss: place.issuer, client_id: 'gatehouse-login' }, 'and its claims are at hand')
  const altered = `${String(access).slice(0, -8)}AAAAAAAA`
  for (const token of [undefined, '', 'garbage', altered]) {
    const refused = await get(token)
    t.equal(refused.status, 401, `refused: ${token === altered ? 'another signature' : (token ?? 'no token')}`)
    t.ok(refused.headers.get('www-authenticate')?.startsWith('Bearer'), 'RFC 6750 §3: with a challenge')
  }
}

/** Alice signs in to a site of the README. @returns what it then shows */
async function signIn(place: Place, port: string): Promise<string> {
  const home = `http://localhost:${place.adapted(port)}/`
  const sent = await fetch(home, { redirect: 'manual' })
  const [cookie = ''] = sent.headers.getSetCookie().map((line) => line.split(';')[0])
  const browser = createBrowser(siteAt(place.issuer))
  const landing = await signInThroughPages(browser, sent.headers.get('location') ?? '', { password: PASSWORD })
  return await (await fetch(landing.url, { headers: { cookie } })).text()
}

const blocks = blocksOf(README)
const curl = canJson()

t.setTimeout(180_000)
t.test('every block of the README says what becomes of it', async (t) => {
  t.ok(blocks.length > 10, 'they were found at all')
  for (const [index, { tag, language, line }] of blocks.entries()) {
    const isOutput = ['text', 'json'].includes(language) && /^(run|start|client) /.test(blocks[index - 1]?.tag ?? '')
    t.ok(tag !== undefined || isOutput, `line ${line}`)
  }
})

t.test('the README does what it says', { skip: curl }, async (t) => {
  const place = await preparePlace(t)
  for (const [index, block] of blocks.entries()) {
    const { tag, text, line } = block
    if (tag === undefined) continue
    const [verb = '', name = '', argument = ''] = tag.split(' ')
    const rest = tag.slice(tag.indexOf(' ') + 1)
    const after = blocks[index + 1]
    const documented = after !== undefined && after.tag === undefined ? after : undefined
    switch (verb) {
      case 'skip':
        process.stderr.write(`README.md line ${line}, not run: ${rest}\n`)
        t.pass(`line ${line}`, { skip: rest })
        break
      case 'file':
        writeFileSync(join(place.folder, name), place.adapted(text))
        break
      case 'run': {
        const { code, stdout, stderr } = await runShell(place, text)
        t.equal(code, 0, `line ${line}, ${name}: exit status`, { stdout, stderr })
        if (documented !== undefined) assertOutput(t, stdout + stderr, documented)
        break
      }
      case 'start': {
        const output = await start(t, place, text, new RegExp(tag.slice(`start ${name} `.length)))
        if (documented !== undefined) assertOutput(t, output, documented)
        break
      }
      case 'api': {
        writeFileSync(join(place.folder, name), place.adapted(text))
        await startListening(t, place, name, argument)
        await assertVerifies(t, place, argument)
        break
      }
      case 'client': {
        writeFileSync(join(place.folder, name), place.adapted(text))
        await startListening(t, place, name, argument)
        if (documented !== undefined) assertOutput(t, await signIn(place, argument), documented)
        break
      }
      default:
        t.fail(`line ${line}: the tag says ${tag}`)
    }
  }
})

t.test('what is shown is missed when it is not printed', async (t) => {
  t.equal(missingFrom('one 1\ntwo 22\nthree\n', 'one 7\n…\nthree\n'), undefined, 'numbers and skipped lines')
  t.equal(missingFrom('eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9\n', 'eyJhbGciOiJSUzI1NiI…abcdef\n'), undefined, 'tokens')
  t.equal(missingFrom('one\nthree\n', 'one\ntwo\n'), 'one\ntwo', 'another line')
  t.equal(missingFrom('three\none\n', 'one\n…\nthree\n'), 'three', 'another order')
  t.notSame(jsonShape({ a: 1 }), jsonShape({ a: '1' }), 'another type')
  t.notSame(jsonShape({ a: 1 }), jsonShape({ a: 1, b: 2 }), 'another member')
})

t.test('the settings for Django are those of the example, which has tests', async (t) => {
  const shown = blocks.find(({ language, text }) => language === 'python' && text.includes('SIMPLE_JWT'))
  const settings = readFileSync(join(ROOT, 'examples/django_resource_server/settings.py'), 'utf8')
  const lines = shown?.text.split('\n').filter((line) => /^ {4}"/.test(line)) ?? []
  t.ok(lines.length > 3, 'they were found at all')
  for (const line of lines) t.ok(settings.includes(line), line.trim())
})
