import t from 'tap'
import { ensureDemoClient } from '../../server/demo/client.ts'
import { buildTestApp, PASSWORD } from '../helpers/app.ts'
import { accessibilityProblems, launchBrowser, openPage, overflow, skip } from '../helpers/browser.ts'
import { freePort } from '../helpers/process.ts'

for (const javaScriptEnabled of [true, false]) {
  t.test(`each step is shown, ${javaScriptEnabled ? 'with' : 'without'} script`, { skip }, async (t) => {
    const issuer = `http://localhost:${await freePort()}`
    const test = await buildTestApp(t, { config: { issuer } })
    await ensureDemoClient(test.deps)
    await test.createAccount({ username: 'alice' })
    await test.app.listen({ port: Number(new URL(issuer).port), host: 'localhost' })
    const { page, complaints } = await openPage(await launchBrowser(t), { javaScriptEnabled })
    const headings = async () => page.locator('h2').allTextContents()
    const text = async () => page.locator('main').textContent()

    await page.goto(`${issuer}/demo`)
    t.same(await headings(), [])
    await page.click('#demo-sign_in')
    await page.fill('#username', 'alice')
    await page.fill('#password', PASSWORD)
    await page.click('#login-submit')
    await page.click('#consent-approve')
    await page.waitForURL(`${issuer}/demo`)
    t.same(await headings(), ['JWK Set', 'Token request', 'Authorization request'])
    t.match(await text(), 'signature, iss, aud, exp and nonce are right')
    t.match(await text(), /id_token, decoded\s+\{\s+"alg": "RS256"/)
    t.match(await text(), /code_challenge_method=S256/)

    await page.click('#demo-userinfo')
    t.equal((await headings())[0], 'UserInfo')
    t.match(await text(), /"preferred_username": "alice"/)
    await page.click('#demo-refresh')
    t.equal((await headings())[0], 'Refresh')
    if (javaScriptEnabled) {
      t.same(await accessibilityProblems(page), [])
      await page.setViewportSize({ width: 320, height: 640 })
      t.ok((await overflow(page)) <= 0, 'nothing is wider than a small screen')
    }
    await page.click('#demo-revoke')
    t.equal((await headings())[0], 'Revocation')
    t.match(await text(), /POST \/revoke[\s\S]+HTTP 200/)
    await page.click('#demo-userinfo')
    t.match(await text(), /HTTP 401[\s\S]+invalid_token/)
    await page.click('#demo-sign_out')
    await page.waitForURL(`${issuer}/demo`)
    t.same(await headings(), [])
    await page.goto(`${issuer}/login`)
    t.equal(await page.locator('#login-submit').count(), 1, 'nobody is signed in any more')
    t.same(complaints, [])
  })
}
