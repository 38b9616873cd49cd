package sinkaws

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinkaws/account"
)

// tokenService stands for AWS's STS, as its documentation describes it: there is no such server to run. It gives out the keys of a role.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
func tokenService(t *testing.T, answer string, status int) (url string, asked *[]string) {
	t.Helper()
	asked = &[]string{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*asked = append(*asked, string(body))
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	}))
	t.Cleanup(s.Close)
	return s.URL, asked
}

func roleKeys(action string) string {
	return fmt.Sprintf(`<%[1]sResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><%[1]sResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>`+
		`<SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken><Expiration>%[2]s</Expiration></Credentials></%[1]sResult></%[1]sResponse>`,
		action, time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
}

func retrieve(t *testing.T, a account.Settings, env sink.Environment) (aws.Credentials, error) {
	t.Helper()
	s := New(Options{Region: "eu-west-1", Account: a}, env)
	t.Cleanup(s.Close)
	return s.Config.Credentials.Retrieve(t.Context())
}

// identify sets the environment of web identity, as EKS does.
func identify(t *testing.T, url string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("the-service-accounts-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(roleVariable, "arn:aws:iam::123456789012:role/mailvane")
	t.Setenv(identityVariable, file)
	t.Setenv(stsVariable, url)
}

func TestWebIdentity(t *testing.T) {
	url, asked := tokenService(t, roleKeys("AssumeRoleWithWebIdentity"), http.StatusOK)
	identify(t, url)
	keys, err := retrieve(t, account.Settings{}, sink.Environment{})
	if err != nil || keys.AccessKeyID != "ASIAROLE" || keys.SessionToken != "token" {
		t.Fatalf("%+v, %v", keys, err)
	}
	for _, want := range []string{"Action=AssumeRoleWithWebIdentity", "role%2Fmailvane", "WebIdentityToken=the-service-accounts-token", "RoleSessionName=mailvane"} {
		if !strings.Contains((*asked)[0], want) {
			t.Errorf("%s is not in %s", want, (*asked)[0])
		}
	}
	if _, err := retrieve(t, account.Settings{RoleARN: "arn:aws:iam::123456789012:role/other"}, sink.Environment{}); err != nil || !strings.Contains((*asked)[1], "role%2Fother") {
		t.Errorf("the role of the settings: %v, %v", *asked, err)
	}
}

func TestAKeyThatTakesARole(t *testing.T) {
	url, asked := tokenService(t, roleKeys("AssumeRole"), http.StatusOK)
	t.Setenv(stsVariable, url)
	keys, err := retrieve(t, account.Settings{AccessKeyID: "AKIA", SecretAccessKey: "secret", RoleARN: "arn:aws:iam::123456789012:role/other"}, sink.Environment{})
	if err != nil || keys.AccessKeyID != "ASIAROLE" || !strings.Contains((*asked)[0], "Action=AssumeRole&") {
		t.Errorf("%+v, %v, %v", keys, *asked, err)
	}
}

func TestAKey(t *testing.T) {
	identify(t, "http://127.0.0.1:1") // which a key goes before
	keys, err := retrieve(t, account.Settings{AccessKeyID: "AKIA", SecretAccessKey: "secret", SessionToken: "token"}, sink.Environment{})
	if err != nil || keys.AccessKeyID != "AKIA" || keys.SessionToken != "token" {
		t.Errorf("%+v, %v", keys, err)
	}
}

// TestNoIdentity has neither a key nor a role, and a machine whose metadata service would have one: nobody asks it.
func TestNoIdentity(t *testing.T) {
	t.Setenv(roleVariable, "")
	t.Setenv(identityVariable, "")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAOFTHEPROCESS")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	_, err := retrieve(t, account.Settings{}, sink.Environment{})
	codes := Codes{Service: "SQS"}
	if err = codes.Error(err); sink.CauseOf(err) != sink.CredentialRefused || !strings.Contains(err.Error(), identityVariable) {
		t.Errorf("%v", err)
	}
}

// TestTheGuardStandsBeforeEverything has the token service at an address that sinks are kept away from.
func TestTheGuardStandsBeforeEverything(t *testing.T) {
	identify(t, "http://169.254.169.254")
	_, err := retrieve(t, account.Settings{}, sink.Environment{})
	codes := Codes{Service: "SQS"}
	if err = codes.Error(err); !sink.IsUnreachable(err) || !strings.Contains(err.Error(), "169.254") {
		t.Errorf("%v", err)
	}
	if err := codes.Unasked(err); sink.CauseOf(err) != sink.DestinationUnreachable {
		t.Errorf("a probe: %v", err)
	}
}

func TestARoleThatIsRefused(t *testing.T) {
	for code, want := range map[string]sink.Cause{
		"AccessDenied": sink.CredentialRefused, "InvalidIdentityToken": sink.CredentialRefused, "ExpiredTokenException": sink.CredentialRefused,
		"RegionDisabledException": sink.CredentialRefused, // by its status
	} {
		url, _ := tokenService(t, `<ErrorResponse><Error><Type>Sender</Type><Code>`+code+`</Code><Message>No OpenIDConnect provider found</Message></Error></ErrorResponse>`, http.StatusForbidden)
		identify(t, url)
		_, err := retrieve(t, account.Settings{}, sink.Environment{})
		codes := Codes{Service: "SQS", Grant: "a right"}
		if err = codes.Error(err); sink.CauseOf(err) != want || !strings.Contains(err.Error(), "No OpenIDConnect provider") {
			t.Errorf("%s: %v", code, err)
		}
	}
}

// TestClassify asks a service whose answers are as the codes say.
func TestClassify(t *testing.T) {
	t.Parallel()
	codes := Codes{Service: "SQS", Missing: []string{"QueueDoesNotExist"}, Create: "create it", Permanent: []string{"InvalidMessageContents"}, Grant: "sqs:SendMessage", Hidden: []string{"s3cret", ""}}
	for name, tc := range map[string]struct {
		code, message, say string
		want               sink.Cause
		permanent          bool
		after              time.Duration
	}{
		"missing":            {"QueueDoesNotExist", "no", "QueueDoesNotExist: no; create it", sink.DestinationNotFound, false, 0},
		"never":              {"InvalidMessageContents", "no", "InvalidMessageContents", sink.DeliveryFailing, true, 0},
		"no right":           {"AccessDeniedException", "not authorized", "the sink needs sqs:SendMessage", sink.CredentialRefused, false, 0},
		"too much":           {"RequestThrottled", "", "SQS says RequestThrottled", sink.DeliveryFailing, false, throttledFor},
		"a signature":        {"InvalidSignatureException", "It does not match. The Canonical String was 'x-amz-security-token:abc'", "does not match", sink.CredentialRefused, false, 0},
		"a secret repeated":  {"InternalFailure", "with s3cret\nand\x00more", "with *** and more", sink.DeliveryFailing, false, 0},
		"something else":     {"InternalFailure", strings.Repeat("x", 1000), "InternalFailure: xxx", sink.DeliveryFailing, false, 0},
		"no code, no matter": {"", "", "SQS says ", sink.DeliveryFailing, false, 0},
	} {
		err := codes.Entry(tc.code, tc.message)
		if sink.CauseOf(err) != tc.want || sink.IsPermanent(err) != tc.permanent || sink.RetryAfter(err) != tc.after || !strings.Contains(err.Error(), tc.say) {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "security-token") || len(err.Error()) > 400 {
			t.Errorf("%s: the error tells too much: %v", name, err)
		}
	}
	if codes.Error(nil) != nil || codes.Unasked(nil) != nil {
		t.Error("nothing is an error")
	}
	if err := codes.Error(context.DeadlineExceeded); !errors.Is(err, context.DeadlineExceeded) || sink.IsUnreachable(err) {
		t.Errorf("an answer that does not come in time: %v", err)
	}
}

// TestRedirectsAreNotFollowed has a service that leads elsewhere.
func TestRedirectsAreNotFollowed(t *testing.T) {
	elsewhere, asked := tokenService(t, roleKeys("AssumeRoleWithWebIdentity"), http.StatusOK)
	s := httptest.NewServer(http.RedirectHandler(elsewhere, http.StatusFound))
	t.Cleanup(s.Close)
	session := New(Options{Region: "eu-west-1", Endpoint: s.URL, Account: account.Settings{AccessKeyID: "AKIA", SecretAccessKey: "secret"}}, sink.Environment{})
	t.Cleanup(session.Close)
	_, err := sts.NewFromConfig(session.Config).GetCallerIdentity(t.Context(), nil)
	if err == nil || len(*asked) > 0 {
		t.Errorf("%v, %v", *asked, err)
	}
}
