import { type Html, html, render } from '../html.ts'

/** One page: what differs from every other. */
export interface Page {
  readonly title: string
  readonly content: Html
}

/** Where a page finds what it is shown with: paths of static files. */
export interface Shell {
  readonly stylesheet: string
  readonly script: string
  readonly logo: string
}

const PRODUCT_NAME = 'Gatehouse'

/** The whole document. No style or script stands in it: the pages' Content-Security-Policy would not let them run. */
export function renderPage(shell: Shell, { title, content }: Page): string {
  return render(html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title} · ${PRODUCT_NAME}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" type="image/svg+xml" href="${shell.logo}">
<link rel="stylesheet" href="${shell.stylesheet}">
<script type="module" src="${shell.script}"></script>
</head>
<body>
<header><img src="${shell.logo}" alt="" width="32" height="32">${PRODUCT_NAME}</header>
<main>
${content}
</main>
</body>
</html>
`)
}
