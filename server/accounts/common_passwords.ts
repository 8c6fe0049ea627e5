let loaded: Promise<ReadonlySet<string>> | undefined

/**
 * Some 49,000 passwords that everyone tries first, in lower case. They are read when first asked for, since signing in
 * never needs them and reading takes longer than the server does to start.
 */
export function commonPasswords(): Promise<ReadonlySet<string>> {
  loaded ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => new Set(dictionary['passwords-common']))
  return loaded
}
