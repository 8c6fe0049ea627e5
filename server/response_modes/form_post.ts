import { formPostPage } from '../../web/pages/form_post.ts'
import type { SendResponse } from './response_mode.ts'

/**
 * The answer in a form that the browser posts to the redirect URI.
 *
 * @see [OAuth 2.0 Form Post Response Mode](https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html)
 */
export const formPost: SendResponse = ({ reply, redirect_uri, sendPage }, parameters) =>
  sendPage(reply, formPostPage({ redirect_uri, parameters }))
