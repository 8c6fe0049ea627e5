/**
 * Distinguished names as text.
 *
 * @see [RFC 4514](https://www.rfc-editor.org/rfc/rfc4514)
 */

/** Attribute types by their numbers (RFC 4514 §3), for who writes those. */
const TYPES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.97': 'ORGANIZATIONIDENTIFIER',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'EMAILADDRESS',
}

/**
 * A name in one spelling: types in capitals, values without escapes, the attributes of each part sorted. Two names are
 * the same when these texts are. Values count letter by letter, which is stricter than RFC 4518 and misleads nobody.
 *
 * @returns undefined when it is no name
 */
export function normalizedName(name: string): string | undefined {
  const parts: string[][] = [[]]
  const attribute = /\s*([a-z][a-z0-9-]*|\d+(?:\.\d+)+)\s*=\s*((?:\\[0-9a-f]{2}|\\[^0-9a-f]|[^\\,+\n])*)([,+\n]|$)/giy
  while (attribute.lastIndex < name.length) {
    const [, type, value, separator] = attribute.exec(name) ?? []
    const plain = value === undefined ? undefined : unescaped(value)
    if (type === undefined || plain === undefined) return undefined
    parts.at(-1)?.push(JSON.stringify([(TYPES[type] ?? type).toUpperCase(), plain]))
    if (separator === ',') parts.push([])
    // Something has to follow what goes on.
    if (separator !== '' && attribute.lastIndex === name.length) return undefined
  }
  return name.trim() === '' ? undefined : JSON.stringify(parts.map((part) => part.toSorted()))
}

/**
 * The name that Node.js writes of a certificate: a line for each part, the most general first. RFC 4514 §2.1 has them
 * the other way round.
 */
export function nameFromLines(lines: string): string {
  return lines.split('\n').reverse().join(',')
}

/** RFC 4514 §2.4: a backslash and two digits is an octet of UTF-8; before anything else it is that itself. */
function unescaped(value: string): string | undefined {
  const trimmed = value.replace(/(?<!\\)\s+$/, '')
  const bytes = [...trimmed.matchAll(/\\([0-9a-f]{2})|\\?([^\\]|\\)/giu)].map(([, octet, character = '']) =>
    octet === undefined ? Buffer.from(character) : Buffer.from(octet, 'hex'),
  )
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(bytes))
  } catch {
    return undefined
  }
}
