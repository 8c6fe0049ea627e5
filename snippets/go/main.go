// go run .
package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
)

const (
	issuer   = "https://login.example.com"
	audience = "https://api.example.com"
)

// claims are what the API reads of an access token.
type claims struct {
	Subject  string          `json:"sub"`
	ClientID string          `json:"client_id"`
	Scope    string          `json:"scope"`
	Bound    json.RawMessage `json:"cnf"`
}

// go-oidc fetches the keys when it sees an unknown kid, and keeps them until then.
var verifier = oidc.NewVerifier(issuer, oidc.NewRemoteKeySet(context.Background(), issuer+"/.well-known/jwks.json"),
	&oidc.Config{ClientID: audience, SupportedSigningAlgs: []string{"RS256"}})

func verify(ctx context.Context, token string) (claims, error) {
	var found claims
	// RFC 9068: an access token, not an ID token. A resource with --token-typ JWT has "JWT" here.
	if typ := typOf(token); typ != "at+jwt" {
		return found, fmt.Errorf("a token of type %q", typ)
	}
	verified, err := verifier.Verify(ctx, token)
	if err != nil {
		return found, err
	}
	if err := verified.Claims(&found); err != nil {
		return found, err
	}
	// One that is bound to a key (DPoP, mutual TLS) is for a verifier that asks for proof of the key.
	if found.Subject == "" || found.ClientID == "" || found.Bound != nil {
		return found, fmt.Errorf("not a bearer access token")
	}
	return found, nil
}

func typOf(token string) string {
	var header struct {
		Typ string `json:"typ"`
	}
	first, _, _ := strings.Cut(token, ".")
	if decoded, err := base64.RawURLEncoding.DecodeString(first); err != nil || json.Unmarshal(decoded, &header) != nil {
		return ""
	}
	return header.Typ
}

// requireScope answers 401 without a good token and 403 without the scope (RFC 6750 section 3).
func requireScope(scope string, next func(http.ResponseWriter, *http.Request, claims)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			refuse(w, http.StatusUnauthorized, "Bearer")
			return
		}
		found, err := verify(r.Context(), strings.TrimSpace(token))
		if err != nil {
			log.Print(err)
			refuse(w, http.StatusUnauthorized, `Bearer error="invalid_token"`)
			return
		}
		if !slices.Contains(strings.Fields(found.Scope), scope) {
			refuse(w, http.StatusForbidden, fmt.Sprintf(`Bearer error="insufficient_scope", scope=%q`, scope))
			return
		}
		next(w, r, found)
	}
}

func refuse(w http.ResponseWriter, status int, challenge string) {
	w.Header().Set("WWW-Authenticate", challenge)
	http.Error(w, http.StatusText(status), status)
}

func main() {
	http.HandleFunc("GET /orders", requireScope("orders:read", func(w http.ResponseWriter, _ *http.Request, who claims) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"sub": who.Subject})
	}))
	port := os.Getenv("PORT")
	if port == "" {
		port = "8080"
	}
	log.Printf("listening on port %s", port)
	log.Fatal(http.ListenAndServe("127.0.0.1:"+port, nil))
}
