// A command line client as the documentation of golang.org/x/oauth2 and go-oidc has it.
//
// Prints the address of an authorization request, reads where the browser ended, and prints what came of it.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

type settings struct {
	Issuer       string `json:"issuer"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	RedirectURI  string `json:"redirect_uri"`
}

func main() {
	log.SetFlags(0)
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	var given settings
	if err := json.Unmarshal([]byte(os.Getenv("SETTINGS")), &given); err != nil {
		return err
	}
	provider, err := oidc.NewProvider(ctx, given.Issuer)
	if err != nil {
		return err
	}
	config := oauth2.Config{
		ClientID:     given.ClientID,
		ClientSecret: given.ClientSecret,
		Endpoint:     provider.Endpoint(),
		RedirectURL:  given.RedirectURI,
		Scopes:       []string{oidc.ScopeOpenID, "profile", "email", oidc.ScopeOfflineAccess},
	}

	state, nonce, codeVerifier := oauth2.GenerateVerifier(), oauth2.GenerateVerifier(), oauth2.GenerateVerifier()
	fmt.Println(config.AuthCodeURL(state, oidc.Nonce(nonce), oauth2.S256ChallengeOption(codeVerifier)))
	answer, err := readAnswer()
	if err != nil {
		return err
	}
	if answer.Get("state") != state || answer.Get("iss") != given.Issuer {
		return fmt.Errorf("the answer is not to this request: %v", answer)
	}
	token, err := config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(codeVerifier))
	if err != nil {
		return err
	}

	verifier := provider.Verifier(&oidc.Config{ClientID: given.ClientID})
	rawIDToken, _ := token.Extra("id_token").(string)
	idToken, err := verifier.Verify(ctx, rawIDToken)
	if err != nil {
		return err
	}
	if idToken.Nonce != nonce {
		return fmt.Errorf("the nonce is not ours")
	}
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		return err
	}
	user, err := provider.UserInfo(ctx, config.TokenSource(ctx, token))
	if err != nil {
		return err
	}

	// An API that was shown the access token: any client's will do.
	reader := provider.Verifier(&oidc.Config{ClientID: given.Issuer})
	accessToken, err := reader.Verify(ctx, token.AccessToken)
	if err != nil {
		return err
	}

	// Without an access token there is nothing left but to refresh.
	refreshed, err := config.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
	if err != nil {
		return err
	}
	_, replayed := config.Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(codeVerifier))

	result := map[string]any{
		"id_token":     idToken,
		"user":         user,
		"access_token": accessToken.Subject,
		"refreshed":    refreshed.RefreshToken != token.RefreshToken && refreshed.Valid(),
		"replayed":     errorCode(replayed),
	}
	if given.ClientSecret != "" {
		service := clientcredentials.Config{
			ClientID:     given.ClientID,
			ClientSecret: given.ClientSecret,
			TokenURL:     provider.Endpoint().TokenURL,
			Scopes:       []string{"read"},
		}
		own, err := service.Token(ctx)
		if err != nil {
			return err
		}
		result["service"] = own.Extra("scope")
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

func readAnswer() (url.Values, error) {
	line, _, err := bufio.NewReader(os.Stdin).ReadLine()
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(string(line))
	if err != nil {
		return nil, err
	}
	return address.Query(), nil
}

func errorCode(err error) string {
	if refusal, ok := err.(*oauth2.RetrieveError); ok {
		return refusal.ErrorCode
	}
	return fmt.Sprint(err)
}
