import fc from 'fast-check'
import t from 'tap'
import { foldIdentifier, isIdentifier } from '../../server/protocol/identifier.ts'

t.test('RFC 8265 §3.3: identifiers that differ in case, width or composition are one', async (t) => {
  const pairs = [
    ['BOB', 'bob', 'ASCII'],
    ['Ｂｏｂ', 'bob', 'fullwidth'],
    ['STRASSE', 'straße', 'ß is ss'],
    ['STRAẞE', 'strasse', 'and so is ẞ'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευς', 'final sigma'],
    ['οδυσσευσ', 'οδυσσευς', 'sigma written as if not final'],
    ['JOSE\u0301', 'jos\u00e9', 'combining accents'],
    ['ﬁnn', 'FINN', 'ligatures'],
    ['Åsa', '\u212bsa', 'the Ångström sign'],
    ['①②', '12', 'circled digits'],
    ['ᾳ', 'ΑΙ', 'iota subscript'],
    ['ıan', 'IAN', 'dotless ı'],
    ['Ꭰ', 'ꭰ', 'Cherokee'],
    [' bob\u00a0', 'bob', 'spaces around it'],
    ['bo\u200bb', 'bob', 'a zero-width space'],
    ['bo\u200d\u2060\u00ad\ufeffb\ufe0f', 'bob', 'joiners, soft hyphens, marks and selectors'],
    ['e\u200d\u0301', 'é', 'an accent behind a joiner'],
    ['Alice@Example.COM', 'alice@example.com', 'e-mail'],
  ] as const
  for (const [a, b, why] of pairs) t.equal(foldIdentifier(a), foldIdentifier(b), why)
})

t.test('what is another letter stays another identifier', async (t) => {
  const pairs = [
    ['bob', 'b0b', 'digits'],
    ['bob', 'bоb', 'Cyrillic о'],
    ['jose', 'josé', 'accents'],
    ['İan', 'ian', 'Turkish İ'],
    ['a.b@example.com', 'ab@example.com', 'dots'],
    ['a+tag@example.com', 'a@example.com', 'tags'],
    ['a@bücher.example', 'a@xn--bcher-kva.example', 'Punycode'],
    ['bob smith', 'bobsmith', 'spaces within'],
  ] as const
  for (const [a, b, why] of pairs) t.not(foldIdentifier(a), foldIdentifier(b), why)
})

t.test(
  'Unicode §3.13: folding what is folded changes nothing, nor does case, composition or invisible text',
  async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: 'grapheme' }),
      fc.string({ unit: fc.constantFrom(...Array.from('ΣςσßẞſıİiIǰŉΐ\u0345\u0301\u200d ᾳaﬃ')) }),
    )
    fc.assert(
      fc.property(text, (identifier) => {
        const folded = foldIdentifier(identifier)
        return (
          foldIdentifier(folded) === folded &&
          foldIdentifier(identifier.normalize('NFD')) === folded &&
          foldIdentifier(`\u200b${identifier}\u200b`) === folded
        )
      }),
      { numRuns: 500 },
    )
  },
)

t.test('PostgreSQL takes neither NUL nor unpaired surrogates: what cannot be stored is no identifier', async (t) => {
  for (const identifier of ['bob', 'alice@example.com', '正男', 'a b', '🦊']) t.ok(isIdentifier(identifier), identifier)
  for (const identifier of ['', 'a\0', 'a\nb', '\u007f', '\u0085', '\ud83e', 'a\udd8a']) {
    t.notOk(isIdentifier(foldIdentifier(`x${identifier}`).slice(1)), JSON.stringify(identifier))
  }
  t.notOk(isIdentifier(foldIdentifier('\u200b\u00ad ')), 'nothing to see')
})

t.test('more than 1,024 UTF-16 units are nobody’s name, and cost nothing to tell', async (t) => {
  t.equal(foldIdentifier('A'.repeat(1024)), 'a'.repeat(1024))
  t.equal(foldIdentifier('A'.repeat(1025)), '')
  const started = performance.now()
  foldIdentifier(`a${'\u0301\u0316'.repeat(50_000)}`)
  t.ok(performance.now() - started < 500)
})
