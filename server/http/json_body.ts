import type { FastifyInstance } from 'fastify'
import type { OAuthError } from '../protocol/errors.ts'

/** From here on in this scope a body is JSON, and nothing else. @param refusal for what is none */
export function parseJson(app: FastifyInstance, bodyLimit: number, refusal: () => OAuthError): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer', bodyLimit }, async (_: unknown, body: Buffer) => {
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(body)
      // PostgreSQL has no NUL in its text, and no member a use for one.
      if (!/\\u0000/i.test(text)) return JSON.parse(text) as unknown
    } catch {}
    throw refusal()
  })
}
