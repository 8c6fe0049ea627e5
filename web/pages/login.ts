import { type Html, html } from '../html.ts'
import { clientLinks, clientName, type ShownClient } from './client.ts'
import { field, type StepForm, stepForm } from './form.ts'
import type { Page } from './layout.ts'

export interface LoginForm extends StepForm {
  /** Who asked; left out when nobody did. */
  readonly client?: ShownClient | undefined
  readonly username?: string | undefined
  /** It has to be this one. */
  readonly username_fixed?: boolean | undefined
  /** Leads to this page without the fixed name. */
  readonly not_you_href?: string | undefined
  /** Somebody is signed in, and has to show it again. */
  readonly reauthenticate?: boolean | undefined
  /** Why it did not work, as a sentence. */
  readonly problem?: string | undefined
  /** Whether there is somebody to answer `access_denied` to. */
  readonly can_cancel: boolean
  /** Whether `remember` is ticked; left out: it is not offered. */
  readonly remember?: boolean | undefined
}

/** Sends `username`, `password`, perhaps `remember=true`; or `cancel=true`. */
export function loginPage(form: LoginForm): Page {
  const { client, reauthenticate, problem, can_cancel, remember, form_action } = form
  return {
    title: `${problem === undefined ? '' : 'Error: '}Sign in`,
    content: html`<h1>Sign in</h1>
${client && html`<p class="lead">to continue to ${clientName(client)}</p>`}
${reauthenticate && html`<p>You are signed in. Enter your password again, to confirm that it is you.</p>`}
${problem && html`<div class="summary" id="problem" role="alert" tabindex="-1" autofocus><p>${problem}</p></div>`}
${stepForm(
  form,
  html`${fields(form)}
${remember !== undefined && rememberBox(remember)}
<button id="login-submit">Sign in</button>
${can_cancel && html`<button id="login-cancel" class="quiet" name="cancel" value="true" formnovalidate>Cancel</button>`}`,
)}
${client && clientLinks(client)}`,
    scripts: ['show_password'],
    ...(form_action && { form_action }),
  }
}

function fields({ username, username_fixed, not_you_href, problem }: LoginForm): Html[] {
  // Which of the two was wrong is not said: the problem belongs to both.
  const described_by = problem === undefined ? undefined : 'problem'
  return [
    field({
      name: 'username',
      label: username_fixed ? 'User name' : 'User name or e-mail',
      type: 'text',
      autocomplete: 'username webauthn',
      value: username,
      fixed: username_fixed,
      autofocus: problem === undefined && !username,
      described_by,
      aside: username_fixed && not_you_href ? { href: not_you_href, text: 'Not you?' } : undefined,
    }),
    field({
      name: 'password',
      label: 'Password',
      type: 'password',
      autocomplete: 'current-password',
      autofocus: problem === undefined && Boolean(username),
      described_by,
    }),
  ]
}

function rememberBox(checked: boolean): Html {
  return html`<label class="check"><input type="checkbox" name="remember" value="true"${checked && html` checked`}>
<span>Keep me signed in on this device</span></label>`
}
