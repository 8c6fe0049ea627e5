import { InvalidArgumentError } from 'commander'

/** For options that may be repeated. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value]
}

export function wholeNumber(value: string): number {
  if (/^[1-9]\d{0,8}$/.test(value)) return Number(value)
  throw new InvalidArgumentError('It must be a whole number from 1.')
}

/** An instant, as epoch seconds or as ISO 8601. @returns epoch seconds */
export function instantArgument(value: string): number {
  if (/^\d{1,11}$/.test(value)) return Number(value)
  const milliseconds = /^\d{4}-\d{2}-\d{2}/.test(value) ? Date.parse(value) : Number.NaN
  if (!Number.isNaN(milliseconds)) return Math.floor(milliseconds / 1000)
  throw new InvalidArgumentError('It must be epoch seconds or a date such as 2026-01-31T12:00:00Z.')
}

export function jsonObject(value: string): object {
  try {
    const parsed: unknown = JSON.parse(value)
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed
  } catch {}
  throw new InvalidArgumentError('It must be a JSON object.')
}
