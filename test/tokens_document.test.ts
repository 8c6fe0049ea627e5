/** The commands of docs/tokens.md, run in order against a server of their own. Its tags are those of the README. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import { assertOutput, canJson, preparePlace, runShell, start } from './helpers/documented.ts'
import { blocksOf } from './helpers/markdown.ts'

const document = new URL('../docs/tokens.md', import.meta.url)
const blocks = blocksOf(readFileSync(document, 'utf8'))

t.setTimeout(120_000)
t.test('docs/tokens.md does what it says', { skip: canJson() }, async (t) => {
  const place = await preparePlace(t)
  const tagged = blocks.filter(({ tag }) => tag !== undefined)
  t.ok(tagged.length > 6, 'they were found at all')
  for (const [index, { tag, language, text, line }] of blocks.entries()) {
    if (tag === undefined) {
      t.ok(['text', 'json'].includes(language) && blocks[index - 1]?.tag !== undefined, `line ${line} is an output`)
      continue
    }
    const after = blocks[index + 1]
    const documented = after?.tag === undefined ? after : undefined
    const [verb, name] = tag.split(' ')
    if (verb === 'start') {
      const output = await start(t, place, text, new RegExp(tag.slice(`start ${name} `.length)))
      if (documented !== undefined) assertOutput(t, output, documented)
      continue
    }
    t.equal(verb, 'run', `line ${line}: the tag says ${tag}`)
    const { code, stdout, stderr } = await runShell(place, text)
    t.equal(code, 0, `line ${line}, ${name}: exit status`, { stdout, stderr })
    if (documented !== undefined) assertOutput(t, stdout + stderr, documented)
  }
})
