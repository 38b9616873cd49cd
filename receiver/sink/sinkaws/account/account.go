// Package account checks how a sink shows AWS who it is, apart from what asks AWS.
package account

import (
	"errors"
	"net/url"
	"strings"
)

// Settings are the members of the API's AWSAuthentication with the values of its Secrets.
type Settings struct {
	// AccessKeyID and SecretAccessKey are an access key; both empty = web identity is used. SessionToken goes with a key that does not last.
	AccessKeyID, SecretAccessKey, SessionToken string
	// RoleARN is the role to take; empty = with an access key none, else that of the environment.
	RoleARN string
}

// Check refuses what cannot work. Its errors hold no credential.
func (s *Settings) Check() error {
	switch {
	case (s.AccessKeyID == "") != (s.SecretAccessKey == ""):
		return errors.New("authentication.accessKeyID and authentication.secretAccessKey must be set together")
	case s.SessionToken != "" && s.AccessKeyID == "":
		return errors.New("authentication.sessionToken must not be set without an access key")
	case strings.ContainsAny(s.AccessKeyID+s.SecretAccessKey+s.SessionToken, " \t\r\n"):
		return errors.New("authentication must be an access key without blanks and line breaks")
	case s.RoleARN != "" && !strings.HasPrefix(s.RoleARN, "arn:"):
		return errors.New("authentication.roleARN must be the ARN of a role")
	}
	return nil
}

// Hidden returns what no error may hold.
func (s *Settings) Hidden() []string { return []string{s.SecretAccessKey, s.SessionToken} }

// CheckEndpoint refuses what is no URL of a server. Empty is that of AWS.
func CheckEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "" {
		return errors.New("endpoint must be an http or https URL of a server, such as https://s3.example.com")
	}
	return nil
}
