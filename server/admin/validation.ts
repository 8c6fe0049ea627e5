import { createRequire } from 'node:module'
import type { FastifySchemaCompiler } from 'fastify'
import type { TSchema } from 'typebox'

const require = createRequire(import.meta.url)

/**
 * Checks requests of the admin API with TypeBox, which reads the numbers and booleans of a query; the server's own Ajv
 * converts nothing. A schema is compiled when its route is first called, so that no start waits for it and an idle
 * server keeps the memory.
 */
export const compileWhenCalled: FastifySchemaCompiler<TSchema> = (route) => {
  let check: ReturnType<FastifySchemaCompiler<TSchema>> | undefined
  return (value) => {
    if (check === undefined) {
      const typebox: typeof import('@fastify/type-provider-typebox') = require('@fastify/type-provider-typebox')
      check = typebox.TypeBoxValidatorCompiler(route)
    }
    return check(value)
  }
}
