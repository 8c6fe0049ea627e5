import t from 'tap'
import { chooseLocale, uiLocalesIn } from '../../server/protocol/locale.ts'

const choose = (ui_locales: readonly string[], accept_language?: string) =>
  chooseLocale({ ui_locales, accept_language }, 'en')

t.test(
  'OpenID Connect Core §3.1.2.1 ui_locales: in order of preference, before the browser’s, before ours',
  async (t) => {
    t.equal(choose(['fr-CA', 'fr', 'en']), 'fr')
    t.equal(choose(['ja', 'es', 'de']), 'es')
    t.equal(choose(['es'], 'de'), 'es')
    t.equal(choose(['ja'], 'de'), 'de')
    t.equal(choose(['ja'], 'zh'), 'en')
    t.equal(choose([]), 'en')
    t.equal(chooseLocale({ ui_locales: [], accept_language: undefined }, 'de'), 'de')
  },
)

t.test('RFC 9110 §12.5.4 Accept-Language: the weight decides, then the order; 0 is "not this one"', async (t) => {
  const cases: [header: string, locale: string][] = [
    ['de', 'de'],
    ['de-CH, fr;q=0.9, en;q=0.8', 'de'],
    ['en;q=0.2, fr;q=0.7, de;q=0.71', 'de'],
    ['fr;q=0.5, es;q=0.5', 'fr'],
    ['de;q=0, fr;q=0.1', 'fr'],
    ['de;q=0.000', 'en'],
    ['DE-at ; Q=0.5 , nl', 'de'],
    ['en-US,en;q=0.9', 'en'],
    ['', 'en'],
  ]
  for (const [header, locale] of cases) t.equal(choose([], header), locale, header)
})

t.test('RFC 4647 §3.4 lookup: longer ranges lose their ends; the wildcard matches nothing', async (t) => {
  t.equal(choose(['de-DE-1996-x-goethe']), 'de')
  t.equal(choose(['es-419']), 'es')
  t.equal(choose([], '*, de;q=0.5'), 'de')
  t.equal(choose([], '*'), 'en')
  t.equal(choose(['dee', 'frr', 'd', 'x-de']), 'en', 'another language that begins alike')
})

t.test('what is no language range is passed over, and none of it is an error (Core §3.1.2.1)', async (t) => {
  const hostile = ['', '-', 'de-', '-de', 'de_DE', 'de-<script>', '__proto__', 'constructor', 'toString', 'de\u0000']
  hostile.push('d'.repeat(100_000), 'de-'.repeat(50_000), `de-${'a'.repeat(9)}`, 'ｄｅ', '"', '*')
  for (const range of hostile) {
    t.equal(choose([range, 'fr']), 'fr', range.slice(0, 40))
    t.equal(choose([], range), 'en', range.slice(0, 40))
  }
  for (const header of ['de;q=2', 'de;q=', 'de;q=-1', 'de;q=0.1234', 'de;x=1', 'de q=1', ';;;', ',,,', 'de;q=1;q=0'])
    t.equal(choose([], `${header}, fr;q=0.1`), 'fr', header)
  t.equal(choose([], `${'xx,'.repeat(32)}de`), 'en', 'nobody reads so many')
  t.equal(choose([...Array<string>(32).fill('xx'), 'de']), 'en')
})

t.test('a request that is wrong otherwise still says its languages', async (t) => {
  const form = (...values: string[]) => new Map([['ui_locales', values]])
  t.same(uiLocalesIn(form('de  fr')), ['de', 'fr'])
  t.same(uiLocalesIn(form('de', 'fr')), ['de'])
  t.same(uiLocalesIn(new Map()), [])
  t.equal(uiLocalesIn(form('a '.repeat(5000))).length, 32)
})
