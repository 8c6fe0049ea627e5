/**
 * In UTF-16 units, as it came: far more than an honest identifier has. Hostile accents take the square of their number
 * to normalise.
 */
const MAX_LENGTH = 1024

/**
 * How two identifiers (usernames, e-mail addresses) are told apart: after Unicode compatibility normalisation and case
 * folding, so that `Ｂｏｂ`, `BOB` and `bob` are one person. Characters that nobody sees (zero-width ones, variation
 * selectors) do not tell them apart either: Unicode's NFKC_Casefold takes them out.
 *
 * Up and down again is the closest that the language has to Unicode's full case folding (Unicode §5.18): it folds `ß`
 * with `SS` and final sigma with sigma; `ẞ` has to go down first.
 *
 * Not folded: letters that merely look alike (Cyrillic `а`, Latin `a`), accents, Turkish `İ` (it stays apart from `i`,
 * while `ı` is one with it), dots and `+tags` in e-mail addresses, and domain names in Punycode.
 *
 * @returns the folded form; empty, which is nobody's, when there is nothing to see or more than 1,024 UTF-16 units
 * @see [RFC 8265 §3.3](https://www.rfc-editor.org/rfc/rfc8265#section-3.3) UsernameCaseMapped
 * @see [Unicode §3.13](https://www.unicode.org/versions/latest/core-spec/chapter-3/#G63737) NFKC_Casefold
 */
export function foldIdentifier(identifier: string): string {
  if (identifier.length > MAX_LENGTH) return ''
  return identifier
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase()
    .toUpperCase()
    .toLowerCase()
    .normalize('NFKC')
    .trim()
}

/**
 * Whether an account can have this identifier at all: some text, in valid Unicode, without control characters. Anything
 * else is nobody's, and not every database takes it as a value.
 *
 * @param folded what {@link foldIdentifier} made of it
 */
export function isIdentifier(folded: string): boolean {
  return folded !== '' && folded.isWellFormed() && !/\p{Cc}/u.test(folded)
}
