/**
 * Authorization server metadata, as far as this server has something to say.
 *
 * @see [RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2)
 * @see [OpenID Connect Discovery 1.0 §3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata)
 */
export interface ServerMetadata {
  readonly issuer: string
  readonly jwks_uri: string
  readonly authorization_endpoint: string
  readonly response_modes_supported: readonly string[]
  /** RFC 7636 §6.2 */
  readonly code_challenge_methods_supported: readonly string[]
  /** RFC 9207 §3 */
  readonly authorization_response_iss_parameter_supported: boolean
  /** Initiating User Registration 1.0 §6 */
  readonly prompt_values_supported: readonly string[]
  readonly ui_locales_supported: readonly string[]
  /** RFC 9396 §10; only while there are some. */
  readonly authorization_details_types_supported: readonly string[]
  readonly claims_parameter_supported: boolean
  readonly request_parameter_supported: boolean
  readonly request_uri_parameter_supported: boolean
  /** RFC 9101 §10.5 */
  readonly request_object_signing_alg_values_supported: readonly string[]
  /** JARM §4 */
  readonly authorization_signing_alg_values_supported: readonly string[]
  readonly authorization_encryption_alg_values_supported: readonly string[]
  readonly authorization_encryption_enc_values_supported: readonly string[]
  /** RFC 9126 §5 */
  readonly pushed_authorization_request_endpoint: string
  readonly require_pushed_authorization_requests: boolean
  /** RFC 8628 §4 */
  readonly device_authorization_endpoint: string
  readonly token_endpoint: string
  readonly registration_endpoint: string
  /** OAuth Client ID Metadata Document §5 */
  readonly client_id_metadata_document_supported: boolean
  readonly revocation_endpoint: string
  readonly introspection_endpoint: string
  /** Token Status List §9 */
  readonly status_list_aggregation_endpoint: string
  /** Ours. */
  readonly revocation_stream_endpoint: string
  readonly revocation_stream_endpoint_auth_methods_supported: readonly string[]
  readonly end_session_endpoint: string
  readonly backchannel_logout_supported: boolean
  readonly backchannel_logout_session_supported: boolean
  readonly frontchannel_logout_supported: boolean
  readonly frontchannel_logout_session_supported: boolean
  readonly userinfo_endpoint: string
  /** RFC 9728 §4 */
  readonly protected_resources: readonly string[]
  readonly scopes_supported: readonly string[]
  readonly claims_supported: readonly string[]
  readonly claim_types_supported: readonly string[]
  readonly acr_values_supported: readonly string[]
  readonly id_token_signing_alg_values_supported: readonly string[]
  readonly id_token_encryption_alg_values_supported: readonly string[]
  readonly id_token_encryption_enc_values_supported: readonly string[]
  readonly userinfo_signing_alg_values_supported: readonly string[]
  readonly userinfo_encryption_alg_values_supported: readonly string[]
  readonly userinfo_encryption_enc_values_supported: readonly string[]
  /** RFC 9701 §7 */
  readonly introspection_signing_alg_values_supported: readonly string[]
  readonly introspection_encryption_alg_values_supported: readonly string[]
  readonly introspection_encryption_enc_values_supported: readonly string[]
  readonly grant_types_supported: readonly string[]
  /** Identity Assertion JWT Authorization Grant §7 */
  readonly authorization_grant_profiles_supported: readonly string[]
  readonly response_types_supported: readonly string[]
  readonly subject_types_supported: readonly string[]
  readonly token_endpoint_auth_methods_supported: readonly string[]
  readonly token_endpoint_auth_signing_alg_values_supported: readonly string[]
  /** RFC 9449 §5.1 */
  readonly dpop_signing_alg_values_supported: readonly string[]
  /** RFC 8705 §3.3 */
  readonly tls_client_certificate_bound_access_tokens: boolean
  readonly revocation_endpoint_auth_methods_supported: readonly string[]
  readonly revocation_endpoint_auth_signing_alg_values_supported: readonly string[]
  readonly introspection_endpoint_auth_methods_supported: readonly string[]
  readonly introspection_endpoint_auth_signing_alg_values_supported: readonly string[]
}

/** The path of an issuer, without a slash at its end: every route of the protocol stands below it. */
export function issuerPath(issuer: string): string {
  return new URL(issuer).pathname.replace(/\/$/, '')
}
