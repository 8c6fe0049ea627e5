/**
 * How two identifiers (usernames, e-mail addresses) are told apart: after Unicode compatibility normalisation and case
 * folding, so that `Ｂｏｂ`, `BOB` and `bob` are one person.
 *
 * `toLowerCase` after `toUpperCase` is the closest that the language has to Unicode's full case folding
 * (Unicode §5.18): it folds `ß` with `SS` and final sigma with sigma.
 *
 * @see [RFC 8265 §3.3](https://www.rfc-editor.org/rfc/rfc8265#section-3.3) UsernameCaseMapped
 */
export function foldIdentifier(identifier: string): string {
  return identifier.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC').trim()
}
