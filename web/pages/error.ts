import type { RedirectUriDifference } from '../../server/protocol/redirect_uri.ts'
import { type Html, html } from '../html.ts'
import type { Messages } from '../locales/messages.ts'
import type { Page } from './layout.ts'

export interface ErrorPage {
  /** HTTP status. */
  readonly status: number
  /** Why, in words that a stranger may read; in English, as it stands in the log. */
  readonly description: string
  /** What the operator finds the log line by. */
  readonly reference: string
  /** For a request that a client sent the person here with. */
  readonly from_client?: boolean | undefined
  /** For a client's request to sign the person out: what was wrong with it, and where they sign out without it. */
  readonly sign_out?: { readonly mistake: 'address' | 'request'; readonly href: string } | undefined
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
  return (words) => {
    const { error } = words
    const about_client = from_client || redirect_uri !== undefined
    const [title, advice] =
      sign_out === undefined ? wordsFor(words, status, about_client) : wordsForSignOut(words, sign_out)
    return {
      title,
      content: html`<h1>${title}</h1>
<p>${advice}</p>
<dl>${status < 500 && html`<dt>${error.reason}</dt><dd${inEnglish(words)}>${description}</dd>`}<dt>${error.reference}</dt><dd><code>${reference}</code></dd></dl>
${sign_out && html`<p><a id="sign-out" class="button" href="${sign_out.href}">${error.sign_out_here}</a></p>`}
${return_to && html`<p><a id="go-on" class="button" href="${return_to.href}">${error.go_on_to(return_to.host)}</a></p>`}
${redirect_uri && forDevelopers(words, redirect_uri)}`,
    }
  }
}

/** WCAG 2.2 §3.1.2: what is for developers is in English, and said to be. */
function inEnglish({ locale }: Messages): Html | false {
  return locale !== 'en' && html` lang="en"`
}

type TitleAndAdvice = readonly [title: string, advice: string]

function wordsFor({ error }: Messages, status: number, from_client: boolean): TitleAndAdvice {
  switch (status) {
    case 403:
      return [error.not_allowed, error.not_allowed_advice]
    case 404:
      return [error.not_found, error.not_found_advice]
    case 429:
    case 503:
      return [error.busy, error.busy_advice]
  }
  if (status >= 500) return [error.fault, error.fault_advice]
  return from_client ? [error.client, error.client_advice] : [error.malformed, error.malformed_advice]
}

function wordsForSignOut({ error }: Messages, { mistake }: NonNullable<ErrorPage['sign_out']>): TitleAndAdvice {
  return [error.sign_out, mistake === 'address' ? error.sign_out_address : error.sign_out_request]
}

function forDevelopers(words: Messages, { received, registered }: RefusedRedirectUri): Html {
  return html`<section class="developer"${inEnglish(words)}>
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
