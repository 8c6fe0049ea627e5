import type { Locale } from '../../server/protocol/locale.ts'
import type { en } from './en.ts'

/** All that pages say. English has every word, and each other language `satisfies` that it has the same ones. */
export type Messages = Omit<typeof en, 'locale'> & { readonly locale: Locale }

/** A sentence in whichever language it is read. */
export type Said = (words: Messages) => string
