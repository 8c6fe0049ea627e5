import t from 'tap'
import { contentSecurityPolicy } from '../../server/http/content_security_policy.ts'

function directive(name: string, page: Parameters<typeof contentSecurityPolicy>[0]): string | undefined {
  return contentSecurityPolicy(page)
    .split('; ')
    .find((one) => one.startsWith(`${name} `))
}

t.test('CSP3 §6.4.1: forms lead nowhere but here, unless the page says where', async (t) => {
  t.equal(directive('form-action', {}), "form-action 'self'")
  t.equal(directive('form-action', { form_action: ['https://a.example/cb?x=1'] }), "form-action 'self' https:")
  t.equal(directive('form-action', { form_action: ['com.example.app:/cb'] }), "form-action 'self' com.example.app:")
  t.equal(directive('form-action', { form_action: ['http://[::1]:8080/cb'] }), "form-action 'self' http:")
  t.equal(
    directive('form-action', { form_action: ['https://a.example', 'https://b.example'] }),
    "form-action 'self' https:",
  )
})

t.test('CSP3 §6.1.6: frames are of the origins that the page names, and of no other', async (t) => {
  t.equal(directive('frame-src', {}), undefined)
  t.equal(
    directive('frame-src', {
      frame_src: ['https://a.example:8443/out?sid=1', 'https://b.example/', 'https://b.example/2'],
    }),
    'frame-src https://a.example:8443 https://b.example',
  )
})

t.test('CSP3 §2.2: no URI ends a directive or begins another', async (t) => {
  for (const uri of [
    "https://a;script-src'unsafe-inline'/",
    'https://a,b/',
    'not a URI',
    '',
    'https://a b/',
    'a;b:c',
  ]) {
    const policy = contentSecurityPolicy({ form_action: [uri], frame_src: [uri] })
    t.match(policy, /; form-action 'self'( https:)?; frame-src$/, uri)
  }
})
