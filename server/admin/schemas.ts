/** The pieces that the admin API's schemas are made of: they validate, serialise and describe at once. */
import { type TProperties, type TSchema, Type } from 'typebox'
import { SIGNING_ALGORITHMS } from '../protocol/resource.ts'
import type { PageRequest } from '../storage/records.ts'

/** Rejects what it does not name. */
export function closed<P extends TProperties>(properties: P) {
  return Type.Object(properties, { additionalProperties: false })
}

/** A text that both databases store and a terminal can show. */
export function text(maxLength: number, description?: string) {
  const pattern = '^[^\\u0000-\\u001f\\u007f]+$'
  return Type.String({ pattern, maxLength, ...(description === undefined ? {} : { description }) })
}

export function nullable<S extends TSchema>(schema: S) {
  return Type.Union([schema, Type.Null()])
}

export function whole(minimum: number, maximum: number) {
  return Type.Integer({ minimum, maximum })
}

export const Instant = Type.Integer({ description: 'Seconds since the Unix epoch.' })
export const Identifier = text(255)
export const SigningAlgorithmName = Type.Enum([...SIGNING_ALGORITHMS])

export const DEFAULT_LIMIT = 50
export const pageQuery = {
  cursor: Type.Optional(text(1024, '`next_cursor` of the page before.')),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: DEFAULT_LIMIT })),
}

export function pageRequest(query: { cursor?: string; limit?: number }): PageRequest {
  return { limit: query.limit ?? DEFAULT_LIMIT, cursor: query.cursor ?? null }
}

/** Lists answer one page, and where the next one begins. */
export function page<S extends TSchema>(item: S) {
  return Type.Object({ items: Type.Array(item), next_cursor: nullable(Type.String()) })
}

const ProblemDetails = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    error: Type.Optional(Type.String({ description: 'The OAuth error code, where there is one.' })),
    error_reference: Type.Optional(Type.String({ description: 'What the log knows this failure by.' })),
    errors: Type.Optional(Type.Array(Type.Object({ field: Type.String(), message: Type.String() }))),
    ready_at: Type.Optional(Instant),
  },
  { description: 'Problem details (RFC 9457).' },
)

/** What every route may answer instead. */
export const problems = {
  '4xx': { description: 'Refused', content: { 'application/problem+json': { schema: ProblemDetails } } },
  '5xx': { description: 'Failed', content: { 'application/problem+json': { schema: ProblemDetails } } },
}

export const NoContent = Type.Null({ description: 'Done' })
