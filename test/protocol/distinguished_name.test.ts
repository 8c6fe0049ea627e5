import t from 'tap'
import { nameFromLines, normalizedName } from '../../server/protocol/distinguished_name.ts'

const same = (a: string, b: string) => normalizedName(a) !== undefined && normalizedName(a) === normalizedName(b)

t.test('RFC 4514 §3: spellings of one name are the same', async (t) => {
  const spellings: [string, string][] = [
    ['CN=client,O=Example,C=US', 'cn=client, o=Example , c=US'],
    ['CN=client', '2.5.4.3=client'],
    ['O=Sue\\, Grabbit and Runn', 'O=Sue\\2c Grabbit and Runn'],
    ['OU=Sales+CN=J.  Smith,DC=example', 'CN=J.  Smith+OU=Sales,DC=example'],
    ['CN=Lu\\C4\\8Di\\C4\\87', 'CN=Lučić'],
    ['CN=trailing\\ ,C=US', 'CN=trailing\\20,C=US'],
    ['CN=back\\\\slash', 'CN=back\\5Cslash'],
  ]
  for (const [a, b] of spellings) t.ok(same(a, b), `${a} and ${b}`)
})

t.test('RFC 4514: other names are others', async (t) => {
  const others: [string, string][] = [
    ['CN=client,O=Example', 'O=Example,CN=client'],
    ['CN=client,O=Example', 'CN=client'],
    ['CN=client,O=Example', 'CN=client\\,O=Example'],
    ['OU=a+CN=b', 'OU=a,CN=b'],
    ['CN=client', 'CN=Client'],
    ['CN=client', 'OU=client'],
    ['CN=a\\ ', 'CN=a'],
  ]
  for (const [a, b] of others) t.notOk(same(a, b), `${a} and ${b}`)
})

t.test('RFC 4514 §3: what is no name is none', async (t) => {
  for (const text of ['', ' ', 'client', '=client', 'CN=a,', 'CN=a+', 'CN=a,,C=US', 'CN=a\\', 'CN=\\FF', 'C N=a']) {
    t.equal(normalizedName(text), undefined, JSON.stringify(text))
  }
})

t.test('RFC 4514 §2.1: the lines of a certificate come in the other order', async (t) => {
  t.ok(same(nameFromLines('C=US\nOU=x + O=Ac\\, me\nCN=client'), 'CN=client,O=Ac\\, me+OU=x,C=US'))
})
