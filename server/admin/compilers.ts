import { createRequire } from 'node:module'
import type { FastifySchemaCompiler } from 'fastify'
import type { FastifySerializerCompiler } from 'fastify/types/schema.js'
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

/** The same for answers, of which the schema is an allow-list: what it does not name is not sent. */
export const serializeWhenCalled: FastifySerializerCompiler<TSchema> = ({ schema }) => {
  let stringify: ((value: unknown) => string) | undefined
  return (value) => {
    if (stringify === undefined) {
      const build: typeof import('fast-json-stringify') = require('fast-json-stringify')
      stringify = build(schema)
    }
    return stringify(value)
  }
}
