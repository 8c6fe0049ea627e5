import type { Locale } from '../../server/protocol/locale.ts'
import { type Content, type Html, html, render } from '../html.ts'
import type { Messages } from '../locales/messages.ts'

/** A page in whichever language it is read. */
export type Page = (words: Messages) => Sheet

/** One page in one language: what differs from every other. */
export interface Sheet {
  readonly title: Content
  readonly content: Html
  /** Shown in a wide column: there is more to read than to fill in. */
  readonly wide?: boolean
  /** What it is served with, besides the stylesheet. */
  readonly scripts?: readonly ScriptName[]
  /** URIs where its forms may lead, besides here: their schemes join the CSP's `form-action`. */
  readonly form_action?: readonly string[]
  /** URIs that it shows in frames: their origins are the CSP's `frame-src`. */
  readonly frame_src?: readonly string[]
  /** For one that is written in one language only. */
  readonly language?: Locale
}

/** The files in `web/static`. Every page is whole without them. */
export type ScriptName = 'show_password' | 'submit_form' | 'go_on'

/** Where a page finds what it is shown with: paths of static files. */
export interface Shell {
  readonly stylesheet: string
  readonly logo: string
  readonly scripts: Readonly<Record<ScriptName, string>>
}

const PRODUCT_NAME = 'Gatehouse'

/** The whole document. No style or script stands in it: the pages' Content-Security-Policy would not let them run. */
export function renderSheet(
  shell: Shell,
  { title, content, wide = false, scripts = [], language }: Sheet,
  { locale, direction }: Messages,
): string {
  return render(html`<!doctype html>
<html lang="${language ?? locale}" dir="${direction}">
<head>
<meta charset="utf-8">
<title>${title} · ${PRODUCT_NAME}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" type="image/svg+xml" href="${shell.logo}">
<link rel="stylesheet" href="${shell.stylesheet}">
${scripts.map((name) => html`<script type="module" src="${shell.scripts[name]}"></script>\n`)}</head>
<body${wide && html` class="wide"`}>
<header><img src="${shell.logo}" alt="" width="32" height="32">${PRODUCT_NAME}</header>
<main>
${content}
</main>
</body>
</html>
`)
}
