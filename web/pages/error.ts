import type { RedirectUriDifference } from '../../server/protocol/redirect_uri.ts'
import { type Html, html } from '../html.ts'
import type { Page } from './layout.ts'

export interface ErrorPage {
  /** HTTP status. */
  readonly status: number
  /** Why, in words that a stranger may read. */
  readonly description: string
  /** What the operator finds the log line by. */
  readonly reference: string
  /** For a request that a client sent the person here with. */
  readonly from_client?: boolean | undefined
  /** For a client's request to sign the person out: what it did, and where they sign out without it. */
  readonly sign_out?: { readonly mistake: string; readonly href: string } | undefined
  readonly redirect_uri?: RefusedRedirectUri | undefined
  /** Where the person may go on to, if they know who that is. */
  readonly return_to?: { readonly href: string; readonly host: string } | undefined
}

/** For the client's developer. */
export interface RefusedRedirectUri {
  readonly received: string
  /** Only for those who may know: in development, and for administrators. */
  readonly registered?: readonly RedirectUriDifference[] | undefined
}

/** What happened, what to do about it, and what to tell whoever runs this. */
export function errorPage({
  status,
  description,
  reference,
  from_client = false,
  sign_out,
  redirect_uri,
  return_to,
}: ErrorPage): Page {
  const { title, advice } =
    sign_out === undefined ? wordsFor(status, from_client || redirect_uri !== undefined) : wordsForSignOut(sign_out)
  return {
    title,
    content: html`<h1>${title}</h1>
<p>${advice}</p>
<dl>${status < 500 && html`<dt>Reason</dt><dd>${description}</dd>`}<dt>Reference</dt><dd><code>${reference}</code></dd></dl>
${sign_out && html`<p><a id="sign-out" class="button" href="${sign_out.href}">Sign out here</a></p>`}
${return_to && html`<p><a id="go-on" class="button" href="${return_to.href}">Go on to ${return_to.host}</a></p>`}
${redirect_uri && forDevelopers(redirect_uri)}`,
  }
}

function wordsFor(status: number, from_client: boolean): { title: string; advice: string } {
  switch (status) {
    case 403:
      return { title: 'This is not allowed', advice: 'Nothing was changed. Open the page again and start from there.' }
    case 404:
      return { title: 'There is nothing here', advice: 'Check the address, or follow the link again.' }
    case 503:
      return { title: 'Busy for a moment', advice: 'Nothing was changed. Wait a few seconds, go back and try again.' }
  }
  if (status >= 500) {
    return {
      title: 'Something went wrong',
      advice: 'Try again later. If it happens again, pass on the reference below.',
    }
  }
  if (from_client) {
    return {
      title: 'You cannot sign in from there',
      advice:
        'The application that sent you here made a mistake. Nothing was shared with it. Go back and try again; if it happens again, pass on the reason and the reference to whoever runs the application.',
    }
  }
  return { title: 'This could not be understood', advice: 'Nothing was changed. Go back, check and try again.' }
}

function wordsForSignOut({ mistake }: NonNullable<ErrorPage['sign_out']>): { title: string; advice: string } {
  return {
    title: 'You have not been signed out yet',
    advice: `The application that sent you here to sign out ${mistake}. You can sign out here all the same. If it happens again, pass on the reason and the reference to whoever runs the application.`,
  }
}

function forDevelopers({ received, registered }: RefusedRedirectUri): Html {
  return html`<section class="developer">
<h2>For the application’s developer</h2>
<p>This <code>redirect_uri</code> was received. It has to equal a registered one, character by character:</p>
<pre><code>${received}</code></pre>
${registered?.length === 0 && html`<p>None is registered for this client.</p>`}
${
  registered !== undefined &&
  registered.length > 0 &&
  html`<p>Registered, and how the received one differs:</p>
<ul>${registered.map(
    ({ registered, differs }) =>
      html`<li><pre><code>${registered}</code></pre>${differs.length > 0 && html`<p class="hint">${differs.join('; ')}</p>`}</li>\n`,
  )}</ul>`
}
</section>`
}
