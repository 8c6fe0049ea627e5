import { TokenApiError } from './errors.ts'

/** The messages are those of Django REST Framework's serializers, to the letter: clients show and match them. */
type FieldErrors = Record<string, string[]>

export type Body = Readonly<Record<string, unknown>>

/**
 * The body as an object. @throws {TokenApiError} 400 for any other JSON value
 */
export function readBody(body: unknown): Body {
  if (body === undefined) return {}
  if (body instanceof Map) return formBody(body)
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new TokenApiError(400, {
      non_field_errors: [`Invalid data. Expected a dictionary, but got ${pythonType(body)}.`],
    })
  }
  return { ...body }
}

/** Reads required texts; all that is wrong with any of them is told at once. @throws {TokenApiError} 400 */
export function requireTexts<Name extends string>(body: Body, names: readonly Name[]): Record<Name, string> {
  const problems: FieldErrors = {}
  const texts: Partial<Record<Name, string>> = {}
  for (const name of names) {
    const value = Object.hasOwn(body, name) ? body[name] : undefined
    const problem = whatIsWrong(value)
    if (problem !== undefined) problems[name] = [problem]
    else if (typeof value === 'string') texts[name] = value
  }
  if (Object.keys(problems).length > 0) throw new TokenApiError(400, problems)
  return texts as Record<Name, string>
}

/** A text that may be left out. @throws {TokenApiError} 400 */
export function optionalText(body: Body, name: string): string | undefined {
  if (!Object.hasOwn(body, name)) return undefined
  return requireTexts(body, [name])[name]
}

/** One text or a list of them (`resource` may name several, RFC 8707 §2). @throws {TokenApiError} 400 */
export function optionalTexts(body: Body, name: string): readonly string[] {
  if (!Object.hasOwn(body, name)) return []
  const value = body[name]
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values.map((item) => requireTexts({ [name]: item }, [name])[name] ?? '')
}

function whatIsWrong(value: unknown): string | undefined {
  if (value === undefined) return 'This field is required.'
  if (value === null) return 'This field may not be null.'
  if (typeof value !== 'string') return 'Not a valid string.'
  if (value.trim() === '') return 'This field may not be blank.'
  if (value.includes('\0')) return 'Null characters are not allowed.'
  return undefined
}

function formBody(form: ReadonlyMap<string, readonly string[]>): Body {
  return Object.fromEntries(
    [...form].map(([name, values]) => [name, values.length > 1 && name === 'resource' ? values : values.at(-1)]),
  )
}

function pythonType(value: unknown): string {
  if (value === null) return 'NoneType'
  if (Array.isArray(value)) return 'list'
  if (typeof value === 'string') return 'str'
  if (typeof value === 'boolean') return 'bool'
  return Number.isInteger(value) ? 'int' : 'float'
}
