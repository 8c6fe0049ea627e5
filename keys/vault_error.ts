/** The vault cannot be opened, or a value in it cannot. The message says what to do, and holds no secret. */
export class VaultError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'VaultError'
  }
}
