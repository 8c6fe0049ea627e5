import { type Html, html } from '../html.ts'
import { monogram } from './client.ts'

/** What a person is shown of their own account. */
export interface ShownAccount {
  readonly username: string
  readonly name: string | null
}

/** Who is meant: the name, and the user name below it. */
export function accountCard({ username, name }: ShownAccount): Html {
  return html`<div class="account">${monogram(name ?? username)}<div><strong><bdi>${name ?? username}</bdi></strong>
${name !== null && html`<br><bdi>${username}</bdi>`}</div></div>`
}
