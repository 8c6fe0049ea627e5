/** Scopes in the words of the person who is asked (OpenID Connect Core §5.4, §11). Others are shown by their names. */
const DESCRIPTIONS: ReadonlyMap<string, string> = new Map([
  ['openid', 'Know that it is you who signs in'],
  ['profile', 'See your profile: your name, picture, birthday, language and the like'],
  ['email', 'See your e-mail address'],
  ['address', 'See your postal address'],
  ['phone', 'See your phone number'],
  ['offline_access', 'Keep this access while you are away, until you withdraw it'],
])

/** @returns undefined for a scope that only its name tells of */
export function describeScope(scope: string): string | undefined {
  return DESCRIPTIONS.get(scope)
}
