import type { FastifyInstance } from 'fastify'
import { notFound, Problem, sendProblem } from './problem.ts'
import { forbidStoring } from './security_headers.ts'

/**
 * The rules around the admin API: JSON in and out, no cookies, no other origins, nothing stored, errors as problem
 * details.
 *
 * @param resource_metadata where the API describes itself (RFC 9728)
 * @see [RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)
 */
export function setAdminRules(app: FastifyInstance, resource_metadata: string): void {
  forbidStoring(app)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) =>
    parseJson(body),
  )
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, resource_metadata))
  app.setNotFoundHandler((request, reply) =>
    sendProblem(notFound('resource of the admin API'), request, reply, resource_metadata),
  )
}

function parseJson(body: Uint8Array): unknown {
  try {
    // RFC 8259 §8.1: JSON text is UTF-8. Broken bytes are an error, since a password mended is another password.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    // The parser's own message quotes the input, and that may be a secret.
    throw new Problem(400, 'the body is not valid JSON')
  }
}
