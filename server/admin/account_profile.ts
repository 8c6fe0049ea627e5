/** The members of a person's profile (OpenID Connect Core §5.1), as the admin API shows and takes them. */
import { Type } from 'typebox'
import { closed, nullable, text } from './schemas.ts'

const WebAddress = Type.String({ pattern: '^https?://[^\\s\\u0000-\\u001f\\u007f]+$', maxLength: 2048 })

// §5.1.1: these may have lines.
const Lines = Type.String({ pattern: '^[^\\u0000-\\u0009\\u000b\\u000c\\u000e-\\u001f\\u007f]+$', maxLength: 1000 })

const Address = closed({
  formatted: Type.Optional(Lines),
  street_address: Type.Optional(Lines),
  locality: Type.Optional(text(200)),
  region: Type.Optional(text(200)),
  postal_code: Type.Optional(text(50)),
  country: Type.Optional(text(200)),
})

const members = {
  given_name: text(200),
  family_name: text(200),
  middle_name: text(200),
  nickname: text(200),
  profile: WebAddress,
  picture: WebAddress,
  website: WebAddress,
  gender: text(100),
  // ISO 8601-1: YYYY, or a day whose year may be kept to oneself.
  birthdate: Type.String({ pattern: '^\\d{4}(-\\d{2}-\\d{2})?$' }),
  zoneinfo: Type.String({
    pattern: '^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$',
    maxLength: 64,
    description: 'Europe/Vienna',
  }),
  locale: Type.String({
    pattern: '^[A-Za-z0-9]+([-_][A-Za-z0-9]+)*$',
    maxLength: 35,
    description: 'A BCP 47 tag: de-AT',
  }),
  phone_number: Type.String({ pattern: '^\\+?[0-9 ().-]{3,32}(;ext=[0-9]{1,15})?$', description: 'E.164 is best.' }),
  phone_number_verified: Type.Boolean(),
  address: Address,
}

/** What is known: a member that is not known is left out. */
export const ProfileView = Type.Object({
  given_name: Type.Optional(members.given_name),
  family_name: Type.Optional(members.family_name),
  middle_name: Type.Optional(members.middle_name),
  nickname: Type.Optional(members.nickname),
  profile: Type.Optional(members.profile),
  picture: Type.Optional(members.picture),
  website: Type.Optional(members.website),
  gender: Type.Optional(members.gender),
  birthdate: Type.Optional(members.birthdate),
  zoneinfo: Type.Optional(members.zoneinfo),
  locale: Type.Optional(members.locale),
  phone_number: Type.Optional(members.phone_number),
  phone_number_verified: Type.Optional(members.phone_number_verified),
  address: Type.Optional(members.address),
})

/** A member left out stays as it is, null takes it away. */
export const ProfileChangeDocument = closed({
  given_name: Type.Optional(nullable(members.given_name)),
  family_name: Type.Optional(nullable(members.family_name)),
  middle_name: Type.Optional(nullable(members.middle_name)),
  nickname: Type.Optional(nullable(members.nickname)),
  profile: Type.Optional(nullable(members.profile)),
  picture: Type.Optional(nullable(members.picture)),
  website: Type.Optional(nullable(members.website)),
  gender: Type.Optional(nullable(members.gender)),
  birthdate: Type.Optional(nullable(members.birthdate)),
  zoneinfo: Type.Optional(nullable(members.zoneinfo)),
  locale: Type.Optional(nullable(members.locale)),
  phone_number: Type.Optional(nullable(members.phone_number)),
  phone_number_verified: Type.Optional(nullable(members.phone_number_verified)),
  address: Type.Optional(nullable(members.address)),
})
