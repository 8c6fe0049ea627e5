import t from 'tap'
import { authenticationProblem } from '../../server/protocol/step_up.ts'

const claims = { acr: 'urn:example:pwd', auth_time: 100 }

t.test('RFC 9470 §3: a sign-in that is recent and strong enough passes', async (t) => {
  t.equal(authenticationProblem(claims, {}, 1_000_000), undefined)
  t.equal(authenticationProblem(claims, { max_age: 300 }, 400), undefined)
  t.equal(authenticationProblem(claims, { acr_values: ['urn:example:mfa', 'urn:example:pwd'] }, 400), undefined)
})

t.test('RFC 9470 §3: any other is told what to ask for', async (t) => {
  const refused = (challenge: object) => ({ code: 'insufficient_user_authentication', status: 401, challenge })
  t.match(authenticationProblem(claims, { max_age: 300 }, 401), refused({ max_age: '300' }))
  t.match(
    authenticationProblem(claims, { acr_values: ['urn:example:mfa', 'urn:example:key'] }, 100),
    refused({ acr_values: 'urn:example:mfa urn:example:key' }),
  )
  t.match(authenticationProblem({}, { max_age: 300 }, 0), refused({ max_age: '300' }), 'nobody signed in at all')
})
