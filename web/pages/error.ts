import { html } from '../html.ts'
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
  /** For the client's developer: what was received and, only for those who may know, what is registered. */
  readonly redirect_uri?: { readonly received: string; readonly registered?: readonly string[] | undefined } | undefined
}

/** What happened, what to do about it, and what to tell whoever runs this. */
export function errorPage({ status, description, reference }: ErrorPage): Page {
  const { title, advice } = wordsFor(status)
  return {
    title,
    content: html`<h1>${title}</h1>
<p>${advice}</p>
<dl>${status < 500 && html`<dt>Reason</dt><dd>${description}</dd>`}<dt>Reference</dt><dd><code>${reference}</code></dd></dl>`,
  }
}

function wordsFor(status: number): { title: string; advice: string } {
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
  return { title: 'This could not be understood', advice: 'Nothing was changed. Go back, check and try again.' }
}
