import { html } from '../html.ts'
import type { Messages, Said } from '../locales/messages.ts'
import { type Field, field, problemSummary, titleOf } from './form.ts'
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
  readonly problems?: ReadonlyMap<string, Said>
}

export function setupPage(form: SetupForm): Page {
  const { action, token } = form
  return (words) => {
    const { setup } = words
    const fields = fieldsOf(words, form)
    const summary = problemSummary(words, fields)
    return {
      title: titleOf(words, setup.title, summary !== undefined),
      content: html`<h1>${setup.title}</h1>
<p class="lead">${setup.lead}</p>
${summary}
<form method="post" action="${action}" novalidate>
<input type="hidden" name="token" value="${token}">
${fields.map((one) => field(words, one))}
<button id="setup-submit">${setup.submit}</button>
</form>`,
      scripts: ['show_password'],
    }
  }
}

function fieldsOf(words: Messages, { min_length, username = '', email = '', problems }: SetupForm): Field[] {
  const { common, setup } = words
  return [
    {
      name: 'username',
      label: common.username,
      type: 'text',
      autocomplete: 'username',
      value: username,
      problem: problems?.get('username')?.(words),
    },
    {
      name: 'email',
      label: setup.email,
      type: 'email',
      autocomplete: 'email',
      optional: true,
      value: email,
      problem: problems?.get('email')?.(words),
    },
    {
      name: 'password',
      label: common.password,
      type: 'password',
      autocomplete: 'new-password',
      hint: setup.password_hint(min_length),
      problem: problems?.get('password')?.(words),
    },
  ]
}

/** For a link that is unknown, used, expired or too late: which of them it is, is nobody's business. */
export function setupGonePage(): Page {
  return ({ setup }) => ({
    title: setup.gone,
    content: html`<h1>${setup.gone}</h1>
<p>${setup.gone_lead}</p>
<p>${setup.gone_remedy}</p>
<pre><code>npx gatehouse setup-link</code></pre>`,
  })
}

export interface SetupDone {
  readonly issuer: string
  /** Whether `/api/token/` is there, which the command line signs in at. */
  readonly token_api: boolean
}

export function setupDonePage({ issuer, token_api }: SetupDone): Page {
  return ({ setup }) => ({
    title: setup.done,
    content: html`<h1>${setup.done}</h1>
<p class="lead">${setup.done_lead}</p>
<h2>${setup.next}</h2>
<ol>
<li>${setup.next_quickstart}
<pre><code>npx gatehouse quickstart</code></pre></li>
${
  token_api &&
  html`<li>${setup.next_token}
<pre><code>npx gatehouse token --username NAME</code></pre></li>`
}
<li>${setup.next_jwks}
<pre><code>${issuer}/.well-known/jwks.json</code></pre></li>
</ol>`,
  })
}
