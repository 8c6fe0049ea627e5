const GONE = '[redacted]'

/** What a secret looks like wherever it stands: our handles, a JWS or JWE, an Authorization value, a PHC string. */
const SHAPES = new RegExp(
  [
    '\\bgth_[a-z]+_[\\w~-]+',
    '\\beyJ[\\w-]{10,}(?:\\.[\\w-]*){1,4}',
    '\\b(?:Basic|Bearer|DPoP)\\s+[\\w.~+/=-]{8,}',
    '\\$argon2(?:id|i|d)\\$[^\\s"\\\\]+',
    '\\$2[abxy]\\$[^\\s"\\\\]+',
    '-----BEGIN [^"]*?-----END [A-Z ]+-----',
  ].join('|'),
  'gi',
)

/** Members of a JSON object whose text is a secret, by the end of their name: `client_secret`, `set-cookie`. */
const MEMBERS =
  /"([\w.-]*(?:password|passphrase|password_hash|secret|token|assertion|authorization|cookies?|code_verifier|otp|private_key|sealed))":(?:"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\{[^}]*\})/gi

/** A parameter of a query or a form: its name may be known, its value not. */
const PARAMETERS = /([?&][^=&?\s"\\]{1,128}=)[^&\s"\\]+/g

/**
 * A line of the log without its secrets. The last door: whatever a caller, a library or an error message let through
 * is caught here, by name or by shape. It keeps JSON well formed, and takes time in proportion to the line.
 */
export function redact(line: string): string {
  return line
    .replace(MEMBERS, (_, name: string) => `"${name}":"${GONE}"`)
    .replace(PARAMETERS, (_, name: string) => `${name}${GONE}`)
    .replace(SHAPES, GONE)
}

/** A request target as the log may have it: the path, and of the query the names only. */
export function pathAndNames(target: string): string {
  const [path = '', query] = target.split('?', 2)
  if (query === undefined || query === '') return path
  const names = new Set(query.split('&').map((pair) => pair.split('=', 1)[0] ?? ''))
  return `${path}?${[...names].join('&')}`
}
