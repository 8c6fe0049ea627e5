import { type Html, html } from '../html.ts'
import { stepForm } from './form.ts'
import type { Page } from './layout.ts'

export interface DecodedToken {
  /** The member of the response that it came in. */
  readonly name: string
  /** JSON */
  readonly header: string
  readonly payload: string
}

/** One thing that the client did, and what came of it. */
export interface DemoStep {
  readonly title: string
  readonly about: string
  readonly request: string
  /** The same request for a shell; undefined: it takes a browser. */
  readonly curl: string | undefined
  readonly response: string
  readonly tokens: readonly DecodedToken[]
}

export interface Demo {
  readonly action: string
  readonly csrf_token: string
  /** What can be done next. */
  readonly choices: readonly DemoChoice[]
  /** Newest first. */
  readonly steps: readonly DemoStep[]
}

export type DemoChoice = 'sign_in' | 'userinfo' | 'refresh' | 'revoke' | 'sign_out'

const LABELS: Readonly<Record<DemoChoice, string>> = {
  sign_in: 'Sign in',
  userinfo: 'Call UserInfo',
  refresh: 'Refresh',
  revoke: 'Revoke',
  sign_out: 'Sign out',
}

/** A client of this very server that shows all it does, to developers, in English. Sends `choice`. */
export function demoPage({ choices, steps, ...form }: Demo): Page {
  return () => ({
    language: 'en',
    title: 'Demo',
    wide: true,
    content: html`<h1>Demo</h1>
<p class="lead">A public client, <code>gatehouse-demo</code>, that signs you in with the authorization code flow and PKCE. It
 shows every request it makes, and is here in development only.</p>
<div class="choices">${stepForm(
      form,
      choices.map(
        (choice) => html`<button id="demo-${choice}" name="choice" value="${choice}">${LABELS[choice]}</button>\n`,
      ),
    )}</div>
${steps.map(stepSection)}`,
  })
}

/** The newest step is open; the ones before it fold. */
function stepSection({ title, about, request, curl, response, tokens }: DemoStep, index: number): Html {
  return html`<details class="step"${index === 0 && html` open`}>
<summary><h2>${title}</h2></summary>
<p>${about}</p>
<h3>Request</h3>
<pre><code>${request}</code></pre>
${curl && html`<h3>The same from a shell</h3>\n<pre><code>${curl}</code></pre>`}
<h3>Response</h3>
<pre><code>${response}</code></pre>
${tokens.map(
  ({ name, header, payload }) => html`<h3>${name}, decoded</h3>
<pre><code>${header}
${payload}</code></pre>`,
)}
</details>`
}
