import { Type } from 'typebox'

export const DAY = 86_400

/** A whole number within bounds, both included. */
export const whole = (fallback: number, minimum: number, maximum: number, description: string) =>
  Type.Integer({ default: fallback, minimum, maximum, description })

/** A text whose default hangs on another value: `derived` says how, `load.ts` does it. */
export const derived = (rule: string, description: string) => Type.String({ minLength: 1, derived: rule, description })

/** No keys but those that are listed. */
export const closed = { additionalProperties: false }
