/**
 * A name for something new: 128 random bits in base64url, so that nobody guesses one and no two are alike. It does not
 * begin with a hyphen, since a command line would take it for an option.
 */
export function randomId(random: { bytes(length: number): Uint8Array }): string {
  for (;;) {
    const id = Buffer.from(random.bytes(16)).toString('base64url')
    if (!id.startsWith('-')) return id
  }
}
