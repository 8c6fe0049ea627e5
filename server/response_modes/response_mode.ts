import type { FastifyReply } from 'fastify'
import type { PageOptions } from '../http/browser_scope.ts'

/** The parameters of an answer. */
export type ResponseParameters = Readonly<Record<string, string>>

/** How an answer travels to the client through the person's browser: a file for each. */
export interface ResponseMode extends PageOptions {
  readonly reply: FastifyReply
  /** Of a `RedirectTarget`. */
  readonly redirect_uri: string
}

/** Sends an answer on its way. */
export type SendResponse = (way: ResponseMode, parameters: ResponseParameters) => FastifyReply
