import type { Locale } from '../../server/protocol/locale.ts'
import { de } from './de.ts'
import { en } from './en.ts'
import { es } from './es.ts'
import { fr } from './fr.ts'
import type { Messages } from './messages.ts'

/** The registry: a file for each language, named by its tag. */
export const messages: Readonly<Record<Locale, Messages>> = { en, de, fr, es }
