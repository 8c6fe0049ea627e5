/** Keys and certificates, made when a test runs. */
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface TestCertificate {
  readonly key_file: string
  readonly certificate_file: string
  readonly key: string
  readonly certificate: string
  readonly x509: X509Certificate
}

export interface CertificateMaker {
  /** Signs with its own key, for a week. */
  selfSigned(subject: string, extensions?: readonly string[]): TestCertificate
  /** @param days of its life; 0: it is over at once */
  issued(by: TestCertificate, subject: string, extensions?: readonly string[], days?: number): TestCertificate
}

type Test = { teardown(handler: () => void): void }

/** @param subject as OpenSSL takes it: `/O=Example/CN=client` */
export function certificateMaker(t: Test): CertificateMaker {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-certificates-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  let made = 0
  const make = (subject: string, extensions: readonly string[], more: readonly string[]): TestCertificate => {
    const base = join(directory, String(made++))
    const [key_file, certificate_file] = [`${base}.key`, `${base}.pem`]
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key_file]
    const described = extensions.flatMap((extension) => ['-addext', extension])
    const output = ['-out', certificate_file, '-subj', subject, '-utf8', '-multivalue-rdn']
    execFileSync('openssl', ['req', '-x509', ...key, ...output, ...described, ...more], { stdio: 'pipe' })
    const certificate = readFileSync(certificate_file, 'utf8')
    return {
      key_file,
      certificate_file,
      certificate,
      key: readFileSync(key_file, 'utf8'),
      x509: new X509Certificate(certificate),
    }
  }
  return {
    selfSigned: (subject, extensions = []) => make(subject, extensions, ['-days', '7']),
    issued: (by, subject, extensions = [], days = 7) =>
      make(
        subject,
        ['basicConstraints=critical,CA:FALSE', ...extensions],
        ['-CA', by.certificate_file, '-CAkey', by.key_file, '-days', String(days)],
      ),
  }
}
