import { html } from '../html.ts'
import { accountCard, type ShownAccount } from './account.ts'
import type { Page } from './layout.ts'

export interface SignedIn {
  readonly account: ShownAccount
  readonly logout_href: string
}

/** For somebody who comes to sign in, and is. */
export function signedInPage({ account, logout_href }: SignedIn): Page {
  return (words) => {
    const { title, lead } = words.signed_in
    return {
      title,
      content: html`<h1>${title}</h1>
<p class="lead">${lead}</p>
${accountCard(words, account)}
<p><a class="button quiet" href="${logout_href}">${words.common.sign_out}</a></p>`,
    }
  }
}
