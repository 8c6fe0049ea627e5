import type { Locale } from '../../server/protocol/locale.ts'

const MINUTE = 60
const HOUR = 60 * MINUTE

/**
 * How long it takes until then, within a sentence: `in 15 minutes`, `dans 2 heures`.
 *
 * @param seconds said in whole minutes or hours, rounded up, so that whoever waits that long has waited enough
 */
export function inTime(locale: Locale, seconds: number): string {
  const format = new Intl.RelativeTimeFormat(locale)
  if (seconds <= HOUR - MINUTE) return format.format(Math.max(1, Math.ceil(seconds / MINUTE)), 'minute')
  return format.format(Math.ceil(seconds / HOUR), 'hour')
}

/** `a, b and c` */
export function listOf(locale: Locale, items: readonly string[]): string {
  return new Intl.ListFormat(locale).format(items)
}
