import type { FastifyInstance } from 'fastify'
import type { Deps } from '../deps.ts'
import { dpopNonce } from '../protocol/dpop.ts'

/**
 * Hands the present nonce to whoever sends a DPoP proof, with refusals and answers alike, so that the next proof has it.
 *
 * @see [RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8)
 */
export function offerDpopNonce(
  app: FastifyInstance,
  { config, vault, clock }: Pick<Deps, 'config' | 'vault' | 'clock'>,
): void {
  if (!config.dpop.nonce) return
  const digest = (label: string, value: string) => vault.digest(label, value)
  app.addHook('onRequest', (request, reply, done) => {
    if (request.headers.dpop !== undefined) reply.header('dpop-nonce', dpopNonce(digest, clock.now()))
    done()
  })
}
