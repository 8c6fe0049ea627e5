import { html } from '../html.ts'
import { hiddenFields } from './form.ts'
import type { Page } from './layout.ts'

export interface FormPost {
  /** Verified: the target of the answer. */
  readonly redirect_uri: string
  readonly parameters: Readonly<Record<string, string>>
}

/** @see [OAuth 2.0 Form Post Response Mode](https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html) */
export function formPostPage({ redirect_uri, parameters }: FormPost): Page {
  return {
    title: 'One moment',
    content: html`<h1>One moment</h1>
<p>You go back to the application now. If nothing happens, continue by hand.</p>
<form method="post" action="${redirect_uri}">
${hiddenFields(parameters)}<button>Continue</button>
</form>`,
    scripts: ['submit_form'],
    form_action: [redirect_uri],
  }
}
