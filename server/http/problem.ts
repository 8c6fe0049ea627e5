import { STATUS_CODES } from 'node:http'
import type { FastifyReply, FastifyRequest, FastifySchemaValidationError } from 'fastify'
import { OAuthError } from '../protocol/errors.ts'
import { logRefusal, refusalHeaders } from './error_reply.ts'
import { toOAuthError } from './fault.ts'

/** What is wrong with one member of a request, in a sentence for a person. */
export interface FieldProblem {
  /** Where it is: `scope`, `clients/0/scope` (a JSON Pointer without its first slash). */
  readonly field: string
  readonly message: string
}

/**
 * A refusal with more to say than an OAuth error has room for.
 *
 * @see [RFC 9457 §3.2](https://www.rfc-editor.org/rfc/rfc9457#section-3.2) extension members
 */
export class Problem extends OAuthError {
  readonly extensions: Readonly<Record<string, unknown>>

  constructor(status: number, description: string, extensions: Readonly<Record<string, unknown>> = {}) {
    super('invalid_request', description, { status })
    this.extensions = extensions
  }
}

/** @param what `account`, `client` … */
export function notFound(what: string): Problem {
  return new Problem(404, `there is no such ${what}`)
}

export function invalid(errors: readonly FieldProblem[]): Problem {
  return new Problem(400, 'the request is not valid', { errors })
}

/** The value, or a 400 that says all that is wrong with it. */
export function orRefuse<T>(checked: { readonly value: T } | { readonly problems: readonly FieldProblem[] }): T {
  if ('problems' in checked) throw invalid(checked.problems)
  return checked.value
}

/**
 * A refusal as the admin API sends it.
 *
 * @param resource_metadata where the API describes itself (RFC 9728 §5.1)
 * @see [RFC 9457 §3](https://www.rfc-editor.org/rfc/rfc9457#section-3)
 */
export function sendProblem(
  thrown: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  resource_metadata: string,
): FastifyReply {
  const error = validationProblem(thrown) ?? toOAuthError(thrown)
  logRefusal(request, error)
  const challenge = bearerChallenge(error, request.routeOptions.config.scope, resource_metadata)
  if (challenge !== undefined) reply.header('www-authenticate', challenge)
  return refusalHeaders(reply, error)
    .type('application/problem+json')
    .send({
      // RFC 9457 §4.2.1: about:blank, the status says all there is to say of the type.
      type: 'about:blank',
      title: STATUS_CODES[error.status] ?? 'Error',
      status: error.status,
      detail: error.description,
      ...(error.code === 'invalid_request' ? {} : { error: error.code }),
      ...(error.code === 'server_error' ? { error_reference: request.id } : {}),
      ...(error instanceof Problem ? error.extensions : {}),
    })
}

/** @see [RFC 6750 §3](https://www.rfc-editor.org/rfc/rfc6750#section-3) */
function bearerChallenge(
  { status, code, description, challenge }: OAuthError,
  scope: string | undefined,
  resource_metadata: string,
): string | undefined {
  if (status !== 401 && code !== 'insufficient_scope') return undefined
  const attributes = {
    realm: 'gatehouse',
    // RFC 6750 §3.1: without any authentication information there SHOULD NOT be an error code.
    ...(code === 'invalid_request' ? {} : { error: code, error_description: description }),
    ...(code === 'insufficient_scope' && scope !== undefined ? { scope } : {}),
    // RFC 9470 §3: what to ask the authorization endpoint for.
    ...challenge,
    resource_metadata,
  }
  return `Bearer ${Object.entries(attributes)
    .map(([name, value]) => `${name}="${value}"`)
    .join(', ')}`
}

function validationProblem(thrown: unknown): Problem | undefined {
  if (!(thrown instanceof Error) || !('validation' in thrown) || !Array.isArray(thrown.validation)) return undefined
  return invalid(fieldProblems(thrown.validation))
}

export type SchemaError = Pick<FastifySchemaValidationError, 'instancePath' | 'keyword' | 'params' | 'message'>

/** What a schema has found wrong. One problem a field: the branches of a union that did not match become alternatives. */
export function fieldProblems(errors: readonly SchemaError[]): FieldProblem[] {
  const messages = new Map<string, Set<string>>()
  for (const { instancePath, keyword, params, message } of errors) {
    // Says again of one member what `additionalProperties` says of all.
    if (keyword === 'boolean') continue
    const said = saidOf(keyword, params, message)
    for (const name of said.names) {
      const field = [...instancePath.split('/').slice(1), ...(name === undefined ? [] : [name])].join('/')
      const known = messages.get(field)
      if (known === undefined) messages.set(field, new Set([said.message]))
      else if (keyword !== 'anyOf') known.add(said.message)
    }
  }
  return [...messages].map(([field, said]) => ({ field, message: [...said].join(' or ') }))
}

function saidOf(keyword: string, params: Record<string, unknown>, message: string | undefined) {
  if (keyword === 'required') return { names: namesIn(params.requiredProperties), message: 'is missing' }
  if (keyword === 'additionalProperties') {
    return { names: namesIn(params.additionalProperties), message: 'is not known here' }
  }
  if (keyword === 'pattern') return { names: [undefined], message: 'does not have the form that it needs' }
  return { names: [undefined], message: message ?? 'is not valid' }
}

function namesIn(names: unknown): (string | undefined)[] {
  return Array.isArray(names) ? names.map(String) : [undefined]
}
