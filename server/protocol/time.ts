/** An instant in whole seconds since the Unix epoch: the NumericDate of RFC 7519 §2, and every `_at` in the database. */
export type Seconds = number

/** Where the time comes from. Made once, in `main.ts`, and passed: tests pass a clock that they move themselves. */
export interface Clock {
  /** Now, floored to whole seconds, so that an `iat` is never in a verifier's future. */
  now(): Seconds
}
