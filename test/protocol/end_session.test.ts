import t from 'tap'
import { frontchannelLogoutUrl, postLogoutLocation, postLogoutTarget } from '../../server/protocol/end_session.ts'

const REGISTERED = 'https://app.example/after?from=logout'
const client = { post_logout_redirect_uris: [REGISTERED, 'https://app.example/bye'] }

t.test('RP-Initiated Logout 1.0 §3: a registered address gets state as it was sent', async (t) => {
  const cases: [uri: string, state: string | undefined, location: string][] = [
    [REGISTERED, undefined, REGISTERED],
    [REGISTERED, 'a b&c=ü', `${REGISTERED}&state=a+b%26c%3D%C3%BC`],
    ['https://app.example/bye', 'x', 'https://app.example/bye?state=x'],
  ]
  for (const [uri, state, location] of cases) {
    const target = postLogoutTarget(client, uri, state)
    t.equal(target && postLogoutLocation(target), location)
  }
})

t.test('RP-Initiated Logout 1.0 §3: any other address is refused, however alike', async (t) => {
  const others = [
    'https://app.example/after',
    'https://app.example/bye/',
    'https://app.example/bye?',
    'https://app.example/bye#',
    'https://app.example:443/bye',
    'HTTPS://app.example/bye',
    'http://app.example/bye',
    'https://app.example.evil.example/bye',
    'https://app.example/bye%2f',
    '',
  ]
  for (const uri of others) t.equal(postLogoutTarget(client, uri, 'x'), undefined, uri)
  t.equal(postLogoutTarget({}, REGISTERED, undefined), undefined, 'nothing is registered')
})

t.test('Front-Channel Logout 1.0 §2: iss and sid both, when the client asked for them, or neither', async (t) => {
  const session = { iss: 'https://id.example/tenant', sid: 's-1' }
  const query = 'iss=https%3A%2F%2Fid.example%2Ftenant&sid=s-1'
  const url = (uri: string, required?: boolean) =>
    frontchannelLogoutUrl(
      {
        frontchannel_logout_uri: uri,
        ...(required === undefined ? {} : { frontchannel_logout_session_required: required }),
      },
      session,
    )
  t.equal(url('https://app.example/out', true), `https://app.example/out?${query}`)
  t.equal(url('https://app.example/out?a=1', true), `https://app.example/out?a=1&${query}`, 'its own query is kept')
  t.equal(url('https://app.example/out', false), 'https://app.example/out')
  t.equal(url('https://app.example/out'), 'https://app.example/out')
  t.equal(frontchannelLogoutUrl({}, session), undefined)
})
