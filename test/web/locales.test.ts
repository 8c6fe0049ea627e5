import t from 'tap'
import { LOCALES, type Locale } from '../../server/protocol/locale.ts'
import { html, render } from '../../web/html.ts'
import { messages } from '../../web/locales/index.ts'
import { samplePages } from '../helpers/sample_pages.ts'

/** What is said with a value in it, by where it stands. */
const VALUES: Readonly<Record<string, unknown>> = { details: ['a', 'b'], problem_of: 'a', at: 2 }

/** Every text of a language, by its path; what takes a value has one that is nobody's word. */
function textsOf(value: unknown, path: readonly string[] = []): [string, string][] {
  const name = path.join('.')
  if (typeof value === 'string') return [[name, value]]
  if (typeof value === 'function') return [[name, spoken(value(VALUES[path.at(-1) ?? ''] ?? 4242, 'b'))]]
  return Object.entries(Object(value)).flatMap(([key, one]) => textsOf(one, [...path, key]))
}

function spoken(said: unknown): string {
  return typeof said === 'string' ? said : render(Object(said))
}

/** What is the same in another language as in English, and rightly so. */
const SAME: Readonly<Record<Exclude<Locale, 'en'>, readonly string[]>> = {
  de: ['client.website', 'form.problem_of'],
  fr: [],
  es: ['common.error', 'form.problem_of'],
}
const ABOUT_THE_LANGUAGE = ['locale', 'direction']

t.test('every word is there in every language, and no English one was left in place', async (t) => {
  const english = new Map(textsOf(messages.en))
  t.ok(english.size > 120, String(english.size))
  for (const locale of ['de', 'fr', 'es'] as const) {
    const texts = textsOf(messages[locale])
    t.same(texts.map(([path]) => path).toSorted(), [...english.keys()].toSorted(), locale)
    const left = texts.filter(([path, text]) => text === english.get(path)).map(([path]) => path)
    t.same(left.filter((path) => !ABOUT_THE_LANGUAGE.includes(path)).toSorted(), [...SAME[locale]].toSorted(), locale)
  }
})

t.test('what is put into a sentence is in it in every language, and as text', async (t) => {
  for (const locale of LOCALES) {
    const words = messages[locale]
    t.equal(words.locale, locale)
    t.match(render(words.consent.title('<b>')), '&lt;b&gt;')
    t.match(render(words.consent.title(html`<b>Photos</b>`)), '<b>Photos</b>')
    t.match(words.passwords.too_short(15), '15')
    t.match(words.permissions.details(['a', 'b', 'c']), /a, b.* c$/)
  }
})

t.test('French has its no-break spaces, and every language its own quotation of apostrophes', async (t) => {
  for (const [path, text] of textsOf(messages.fr)) t.notMatch(text, /\S ?[?!;](\s|$)|[^\u00a0]:( |$)/, path)
  for (const locale of LOCALES) {
    for (const [path, text] of textsOf(messages[locale])) t.notMatch(text.replaceAll('&#39;', "'"), /['"]/, path)
  }
})

t.test('RFC 9110 §10.2.3: people read Retry-After in words, rounded up', async (t) => {
  const said: [number, string][] = [
    [0, '1 minute'],
    [1, '1 minute'],
    [60, '1 minute'],
    [61, '2 minutes'],
    [900, '15 minutes'],
    [3540, '59 minutes'],
    [3541, '1 hour'],
    [3600, '1 hour'],
    [3601, '2 hours'],
  ]
  const { too_many_attempts } = messages.en.common
  for (const [seconds, words] of said) t.equal(too_many_attempts(seconds), `Too many attempts. Try again in ${words}.`)
  t.equal(messages.de.common.too_many_attempts(900), 'Zu viele Versuche. Versuchen Sie es in 15 Minuten noch einmal.')
  t.equal(messages.fr.common.too_many_attempts(61), 'Trop de tentatives. Réessayez dans 2 minutes.')
  t.equal(messages.es.common.too_many_attempts(7200), 'Demasiados intentos. Inténtelo de nuevo dentro de 2 horas.')
})

t.test('no page has an English sentence in another language, but what is for developers', async (t) => {
  const sentences = textsOf(messages.en).filter(([, text]) => text.length > 20 && !text.includes('4242'))
  for (const locale of ['de', 'fr', 'es'] as const) {
    for (const [name, page] of Object.entries(samplePages())) {
      const sheet = page(messages[locale])
      const markup = render(html`${sheet.title} ${sheet.content}`)
      const shown = sentences.filter(([, text]) => markup.includes(text)).map(([path]) => path)
      t.same(shown, [], `${locale} ${name}`)
    }
  }
})

t.test('WCAG 2.2 §3.1.2: what stays English on a page of another language says so', async (t) => {
  const markupIn = (locale: Locale) => render(Object(samplePages().error_client?.(messages[locale]).content))
  t.match(markupIn('de'), '<dd lang="en">redirect_uri is not registered</dd>')
  t.match(markupIn('de'), '<section class="developer" lang="en">')
  t.notMatch(markupIn('en'), 'lang=')
})
