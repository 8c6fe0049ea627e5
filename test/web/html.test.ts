import fc from 'fast-check'
import t from 'tap'
import { html, render } from '../../web/html.ts'

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' autofocus onfocus='alert(1)",
  '</textarea></title></style><svg onload=alert(1)>',
  '&lt;b&gt; &amp;',
  '<!-- --> ]]> <![CDATA[',
  '\u0000<\u0000script>',
]

/** What a browser makes of escaped text. */
function unescapeText(text: string): string {
  return text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
}

t.test('HTML §13.3: text is escaped between tags and in attributes with either quote', async (t) => {
  t.equal(render(html`<p>${'<b>&</b>'}</p>`), '<p>&lt;b&gt;&amp;&lt;/b&gt;</p>')
  t.equal(render(html`<input value="${'"x'}">`), '<input value="&quot;x">')
  t.equal(render(html`<input value='${"'x"}'>`), "<input value='&#39;x'>")
  for (const text of HOSTILE) t.notMatch(render(html`${text}`), /[<>"']/, text)
})

t.test('any text comes back as it was, and none brings markup of its own', async () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...HOSTILE)), (text) => {
      const markup = render(html`<a title="${text}">${text}</a>`)
      const [, attribute, between] = /^<a title="([^"<>']*)">([^"<>']*)<\/a>$/s.exec(markup) ?? []
      return unescapeText(attribute ?? '!') === text && unescapeText(between ?? '!') === text
    }),
    { numRuns: 300 },
  )
})

t.test('markup made by a template is put into another as it is, also from a list', async (t) => {
  const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`)
  t.equal(render(html`<ul>${items}</ul>`), '<ul><li>a</li><li>&lt;b&gt;</li></ul>')
  t.equal(render(html`${['<', ['>', [html`<br>`]]]}`), '&lt;&gt;<br>')
})

t.test('null, undefined and false render nothing; 0 and the empty text render themselves', async (t) => {
  t.equal(render(html`[${null}${undefined}${false}${''}${[]}]`), '[]')
  t.equal(render(html`[${0}]`), '[0]')
})

t.test('what looks like markup but was not made by a template is no markup', async (t) => {
  const forged: string[] = JSON.parse('["<script>", "[object Object]"]')
  t.equal(render(html`${forged}`), '&lt;script&gt;[object Object]')
})

t.test('an attribute without quotes throws, since escaping would not protect it', async (t) => {
  t.throws(() => html`<input value=${'x onfocus=alert(1)'}>`, TypeError)
  t.doesNotThrow(() => html`<input value="${'x'}">`)
  t.doesNotThrow(() => html`<a href="/setup?token=${'x'}">${'a ='}${'b'}</a>`, 'text that ends like one is only text')
})
