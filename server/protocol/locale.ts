/**
 * In which language a person reads our pages.
 *
 * @see [RFC 9110 §12.5.4](https://www.rfc-editor.org/rfc/rfc9110#section-12.5.4) Accept-Language
 * @see [RFC 4647 §3.4](https://www.rfc-editor.org/rfc/rfc4647#section-3.4) lookup
 */
import type { Form } from './parameters.ts'

/** The languages that pages are written in: language tags, in lower case. */
export const LOCALES = ['en', 'de', 'fr', 'es'] as const
export type Locale = (typeof LOCALES)[number]

/** What is known of the languages that somebody reads. */
export interface LanguageWishes {
  /** Of the request that they came with, the most welcome first (OpenID Connect Core §3.1.2.1). */
  readonly ui_locales: readonly string[]
  /** What their browser says. */
  readonly accept_language: string | undefined
}

/** Whoever lists more does not mean it. In characters; RFC 5646 §4.4.1 has 35 for a tag. */
const MOST_RANGES = 32
const LONGEST_HEADER = 1000
const LONGEST_RANGE = 100

// RFC 4647 §2.1
const RANGE = /^[a-z]{1,8}(-[a-z0-9]{1,8})*$/i
// RFC 9110 §12.4.2
const WEIGHTED = /^([a-z0-9-]+|\*)(?:[ \t]*;[ \t]*q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?))?$/

/** The languages that a request names, whatever else is wrong with it: an error is told in them, too. */
export function uiLocalesIn(form: Form): readonly string[] {
  return (form.get('ui_locales')?.[0] ?? '').split(' ', MOST_RANGES).filter((range) => range !== '')
}

/** What the request asked for, before what the browser says, before the default. What is no language is passed over. */
export function chooseLocale({ ui_locales, accept_language }: LanguageWishes, default_locale: Locale): Locale {
  return lookUp(ui_locales) ?? lookUp(rangesIn(accept_language ?? '')) ?? default_locale
}

/** The language ranges of an Accept-Language header, best first; those with the weight 0 are not wanted. */
function rangesIn(header: string): string[] {
  if (header.length > LONGEST_HEADER) return []
  const weighted = header
    .toLowerCase()
    .split(',', MOST_RANGES)
    .flatMap((part) => {
      const [, range, weight = '1'] = WEIGHTED.exec(part.trim()) ?? []
      return range === undefined || Number(weight) === 0 ? [] : [{ range, weight: Number(weight) }]
    })
  return weighted.toSorted((one, other) => other.weight - one.weight).map(({ range }) => range)
}

/** The first range that one of our languages matches. */
function lookUp(ranges: readonly string[]): Locale | undefined {
  return ranges
    .slice(0, MOST_RANGES)
    .filter((range) => range.length <= LONGEST_RANGE && RANGE.test(range))
    .map((range) => lookUpOne(range.toLowerCase()))
    .find((locale) => locale !== undefined)
}

/** RFC 4647 §3.4: subtags are taken off the end until what is left is one of ours. `*` matches nothing. */
function lookUpOne(range: string): Locale | undefined {
  for (let rest = range; rest !== ''; rest = shortened(rest)) {
    const found = LOCALES.find((locale) => locale === rest)
    if (found !== undefined) return found
  }
  return undefined
}

/** §3.4: a single letter or digit that is then at the end goes, too. */
function shortened(range: string): string {
  return range.replace(/(-[a-z0-9])?-?[a-z0-9]*$/, '')
}
