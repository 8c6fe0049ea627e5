import type { FastifyReply } from 'fastify'
import type { Deps } from '../deps.ts'
import type { PageOptions } from '../http/browser_scope.ts'
import type { RedirectTarget } from '../protocol/authorization_request.ts'
import type { Client } from '../protocol/client.ts'
import type { OAuthError } from '../protocol/errors.ts'
import type { ClientResponseDeps } from '../tokens/client_response.ts'
import { formPost } from './form_post.ts'
import { fragment } from './fragment.ts'
import { jwtResponse } from './jwt.ts'
import { query, queryLocation } from './query.ts'
import type { ResponseParameters, SendResponse } from './response_mode.ts'

/** The registry: how each mode sends, and whether it wraps the answer in a JWT. JARM §2.3.4: for a code, `jwt` is `query.jwt`. */
const MODES: Readonly<Record<RedirectTarget['response_mode'], { send: SendResponse; signed: boolean }>> = {
  query: { send: query, signed: false },
  fragment: { send: fragment, signed: false },
  form_post: { send: formPost, signed: false },
  jwt: { send: query, signed: true },
  'query.jwt': { send: query, signed: true },
  'fragment.jwt': { send: fragment, signed: true },
  'form_post.jwt': { send: formPost, signed: true },
}

/** Where an answer goes, and what it needs on the way. */
export interface AnswerTo extends PageOptions {
  readonly target: RedirectTarget
  readonly client: Client
}

/**
 * Sends the answer to an authorization request, a success or a refusal, in the mode that was asked for.
 *
 * @param parameters without `iss` and `state`, which every answer gets
 */
export async function sendAuthorizationResponse(
  deps: ClientResponseDeps & Pick<Deps, 'config' | 'clock'>,
  reply: FastifyReply,
  { target, client, sendPage }: AnswerTo,
  parameters: ResponseParameters,
): Promise<FastifyReply> {
  const { redirect_uri, response_mode, state } = target
  const { send, signed } = MODES[response_mode]
  // RFC 9207 §2: iss in every answer, errors included. RFC 6749 §4.1.2: state as it came.
  const answer = { ...parameters, ...(state === undefined ? {} : { state }), iss: deps.config.issuer }
  return send({ reply, redirect_uri, sendPage }, signed ? await jwtResponse(deps, client, answer) : answer)
}

/**
 * The address that a person may choose to go on to with a refusal.
 *
 * @returns undefined for the modes that take more than a link
 */
export function refusalLink(
  { config }: Pick<Deps, 'config'>,
  { redirect_uri, response_mode, state }: RedirectTarget,
  error: OAuthError,
): string | undefined {
  if (response_mode !== 'query') return undefined
  const stated = state === undefined ? {} : { state }
  return queryLocation(redirect_uri, { ...errorParameters(error), ...stated, iss: config.issuer })
}

/** @see [RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1) */
export function errorParameters(error: OAuthError): ResponseParameters {
  return { error: error.code, error_description: error.description }
}
