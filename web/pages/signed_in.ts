import { html } from '../html.ts'
import { accountCard, type ShownAccount } from './account.ts'
import type { Page } from './layout.ts'

export interface SignedIn {
  readonly account: ShownAccount
  readonly logout_href: string
}

/** For somebody who comes to sign in, and is. */
export function signedInPage({ account, logout_href }: SignedIn): Page {
  return {
    title: 'You are signed in',
    content: html`<h1>You are signed in</h1>
<p class="lead">Applications that use this server can let you in without asking for your password.</p>
${accountCard(account)}
<p><a class="button quiet" href="${logout_href}">Sign out</a></p>`,
  }
}
