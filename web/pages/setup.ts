import { html } from '../html.ts'
import { type Field, field, problemSummary } from './form.ts'
import type { Page } from './layout.ts'

export interface SetupForm {
  /** The path that the form goes to. */
  readonly action: string
  /** The one-time token of the link. */
  readonly token: string
  readonly min_length: number
  /** What was entered before, without the password. */
  readonly username?: string
  readonly email?: string
  /** Why it cannot be taken, by the field's name. */
  readonly problems?: ReadonlyMap<string, string>
}

export function setupPage({ action, token, min_length, username = '', email = '', problems }: SetupForm): Page {
  const fields: Field[] = [
    {
      name: 'username',
      label: 'User name',
      type: 'text',
      autocomplete: 'username',
      value: username,
      problem: problems?.get('username'),
    },
    {
      name: 'email',
      label: 'E-mail address',
      type: 'email',
      autocomplete: 'email',
      optional: true,
      value: email,
      problem: problems?.get('email'),
    },
    {
      name: 'password',
      label: 'Password',
      type: 'password',
      autocomplete: 'new-password',
      hint: `At least ${min_length} characters: a few words will do.`,
      problem: problems?.get('password'),
    },
  ]
  const summary = problemSummary(fields)
  return {
    title: `${summary === undefined ? '' : 'Error: '}Create the administrator`,
    content: html`<h1>Create the administrator</h1>
<p class="lead">This account can manage everything. The link works once.</p>
${summary}
<form method="post" action="${action}" novalidate>
<input type="hidden" name="token" value="${token}">
${fields.map(field)}
<button id="setup-submit">Create account</button>
</form>`,
    scripts: ['show_password'],
  }
}

/** For a link that is unknown, used, expired or too late: which of them it is, is nobody's business. */
export function setupGonePage(): Page {
  return {
    title: 'This link does not work any more',
    content: html`<h1>This link does not work any more</h1>
<p>A set-up link works once, within an hour, until there is an administrator. If you have just created the account,
 you are done.</p>
<p>Otherwise, this prints a new link where Gatehouse runs:</p>
<pre><code>npx gatehouse setup-link</code></pre>`,
  }
}

export interface SetupDone {
  readonly issuer: string
  /** Whether `/api/token/` is there, which the command line signs in at. */
  readonly token_api: boolean
}

export function setupDonePage({ issuer, token_api }: SetupDone): Page {
  return {
    title: 'Gatehouse is set up',
    content: html`<h1>Gatehouse is set up</h1>
<p class="lead">The administrator’s account is ready. The link has done its work.</p>
<h2>What next</h2>
<ol>
<li>See everything at work, from login to revocation:
<pre><code>npx gatehouse quickstart</code></pre></li>
${
  token_api &&
  html`<li>Get a token for your account:
<pre><code>npx gatehouse token --username NAME</code></pre></li>`
}
<li>Give your APIs this address, to verify tokens with:
<pre><code>${issuer}/.well-known/jwks.json</code></pre></li>
</ol>`,
  }
}
