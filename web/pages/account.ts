import { type Html, html } from '../html.ts'
import type { Messages } from '../locales/messages.ts'

/** What a person is shown of their own account. */
export interface ShownAccount {
  readonly username: string
  readonly name: string | null
}

/** Who is meant: the name, and the user name below it. Both are isolated, whatever direction they are written in. */
export function accountCard(words: Messages, { username, name }: ShownAccount): Html {
  const [letter = ''] = (name ?? username).match(/[\p{L}\p{N}]/u) ?? []
  return html`<p class="account"><span class="initial" aria-hidden="true">${letter.toUpperCase()}</span>
<span><span class="unseen">${words.account.label}</span><strong><bdi>${name ?? username}</bdi></strong>${name !== null && html` <span class="hint"><bdi>${username}</bdi></span>`}</span></p>`
}
