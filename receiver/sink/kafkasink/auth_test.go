package kafkasink_test

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/kafkasink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
	"github.com/mailvane/mailvane/test/authority"
)

// TestEveryPassword connects by each mechanism that has one, and not with another one.
func TestEveryPassword(t *testing.T) {
	t.Parallel()
	for mechanism, member := range map[string]string{"PLAIN": "plain", "SCRAM-SHA-256": "scramSHA256", "SCRAM-SHA-512": "scramSHA512"} {
		t.Run(mechanism, func(t *testing.T) {
			t.Parallel()
			d := start(t, user(mechanism, password, mayWrite()...)...)
			with := func(member, password string) string {
				return fmt.Sprintf(`"authentication":{%q:{"username":"mailvane","password":%q}}`, member, password)
			}
			s := d.open(t, with(member, password))
			must(t, s.(sink.Prober).Probe(t.Context()))
			must(t, s.Send(t.Context(), sinktest.Batch(0, 2)))
			for name, more := range map[string]string{
				"another password": with(member, "another"), "another mechanism": with(map[string]string{"plain": "scramSHA512"}[member]+map[string]string{"scramSHA256": "plain", "scramSHA512": "plain"}[member], password),
			} {
				s := d.open(t, more)
				for what, err := range map[string]error{"Probe": s.(sink.Prober).Probe(t.Context()), "Send": s.Send(t.Context(), sinktest.Batch(0, 1))} {
					if sink.CauseOf(err) != sink.CredentialRefused || sink.IsPermanent(err) || strings.Contains(err.Error(), password) {
						t.Errorf("%s: %s = %v", name, what, err)
					}
				}
			}
			if err := d.open(t, `"tls":{}`).Send(t.Context(), sinktest.Batch(0, 1)); err == nil || sink.IsPermanent(err) {
				t.Errorf("without it: %v", err)
			}
		})
	}
}

// shown has a broker that knows no passwords ask for a mechanism, and returns what it is shown.
func (d *destination) shown(mechanism string, take func(shown string) bool) {
	d.cluster.ControlKey(int16(kmsg.SASLHandshake), func(r kmsg.Request) (kmsg.Response, error, bool) {
		d.cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.SASLHandshakeResponse)
		if r.(*kmsg.SASLHandshakeRequest).Mechanism != mechanism {
			answer.ErrorCode = kerr.UnsupportedSaslMechanism.Code
		}
		return answer, nil, true
	})
	d.cluster.ControlKey(int16(kmsg.SASLAuthenticate), func(r kmsg.Request) (kmsg.Response, error, bool) {
		d.cluster.KeepControl()
		answer := r.ResponseKind().(*kmsg.SASLAuthenticateResponse)
		if !take(string(r.(*kmsg.SASLAuthenticateRequest).SASLAuthBytes)) {
			answer.ErrorCode = kerr.SaslAuthenticationFailed.Code
		}
		answer.SASLAuthBytes = nil
		if mechanism == "AWS_MSK_IAM" {
			answer.SASLAuthBytes = []byte(`{"version":"2020_10_22"}`)
		}
		return answer, nil, true
	})
}

// open lets everybody in.
func everybody() []kfake.Opt { return []kfake.Opt{kfake.NumBrokers(1)} }

// authorizationServer hands out a token by the client credentials grant, and says how often it was asked.
func authorizationServer(t *testing.T, status *atomic.Int32) (url string, asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		id, secret, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		switch {
		case status.Load() != 0:
			w.Header().Set("Location", "http://127.0.0.1:1/")
			w.WriteHeader(int(status.Load()))
			fmt.Fprintf(w, `{"error":"invalid_client","error_description":"not %s"}`, secret)
		case id != "mailvane" || secret != password || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "https://mail.example.com/.default other":
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"error":"invalid_client"}`)
		default:
			fmt.Fprint(w, `{"access_token":"t0ken","token_type":"Bearer","expires_in":3600}`)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/token?tenant=a", asked
}

func oauth(url, secret, more string) string {
	return fmt.Sprintf(`"authentication":{"oauth":{"tokenURL":%q,"clientID":"mailvane","clientSecret":%q,"scopes":["https://mail.example.com/.default","other"]%s}}`, url, secret, more)
}

// TestOAuth gets a token, shows it with its extensions, and keeps it.
func TestOAuth(t *testing.T) {
	t.Parallel()
	d := start(t, everybody()...)
	var shown, status atomic.Int32
	d.shown("OAUTHBEARER", func(text string) bool {
		shown.Add(1)
		return text == "n,,\x01auth=Bearer t0ken\x01identityPoolId=pool-1\x01logicalCluster=lkc-1\x01\x01"
	})
	url, asked := authorizationServer(t, &status)
	s := d.open(t, oauth(url, password, `,"extensions":[{"name":"logicalCluster","value":"lkc-1"},{"name":"identityPoolId","value":"pool-1"}]`))
	must(t, s.(sink.Prober).Probe(t.Context()))
	must(t, s.Send(t.Context(), sinktest.Batch(0, 2)))
	if asked.Load() != 1 || shown.Load() < 2 {
		t.Errorf("%d tokens for %d connections, want one for all", asked.Load(), shown.Load())
	}
	if err := d.open(t, oauth(url, password, "")).Send(t.Context(), sinktest.Batch(0, 1)); sink.CauseOf(err) != sink.CredentialRefused {
		t.Errorf("a token that the broker refuses: %v", err)
	}
}

// TestNoToken has the authorization server refuse, fail, and lead elsewhere. Nothing of what it says is repeated but a code.
func TestNoToken(t *testing.T) {
	t.Parallel()
	d := start(t, everybody()...)
	d.shown("OAUTHBEARER", func(string) bool { return true })
	for name, tc := range map[string]struct {
		reason string
		status int32
		url    string
		cause  sink.Cause
		want   string
	}{
		"refused":   {"it is told by which code", http.StatusUnauthorized, "", sink.CredentialRefused, "401 invalid_client"},
		"forbidden": {"as above", http.StatusForbidden, "", sink.CredentialRefused, "403"},
		"failing":   {"it passes", http.StatusServiceUnavailable, "", sink.DestinationUnreachable, "503"},
		"busy":      {"it passes", http.StatusTooManyRequests, "", sink.DestinationUnreachable, "429"},
		"redirect":  {"with it would go the secret", http.StatusTemporaryRedirect, "", sink.CredentialRefused, "307"},
		"away":      {"its address is in the sink's settings", 0, "http://127.0.0.1:1/token?tenant=a", sink.DestinationUnreachable, "no token"},
	} {
		var status atomic.Int32
		status.Store(tc.status)
		url, _ := authorizationServer(t, &status)
		if tc.url != "" {
			url = tc.url
		}
		s := d.open(t, oauth(url, password, ""))
		for what, err := range map[string]error{"Probe": s.(sink.Prober).Probe(t.Context()), "Send": s.Send(t.Context(), sinktest.Batch(0, 1))} {
			if sink.CauseOf(err) != tc.cause || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "tenant") {
				t.Errorf("%s: %s = %v, want %s and %q: %s", name, what, err, tc.cause, tc.want, tc.reason)
			}
		}
	}
}

// TestTheGuardIsAskedForTokens has the authorization server at an address that the sink must not reach.
func TestTheGuardIsAskedForTokens(t *testing.T) {
	t.Parallel()
	d := start(t, everybody()...)
	d.shown("OAUTHBEARER", func(string) bool { return true })
	s, err := kafkasink.Kind().New([]byte(d.settings(oauth("http://169.254.169.254/token", password, ""))), sink.Environment{})
	must(t, err)
	defer s.Close() //nolint:errcheck // it says nothing
	if err := s.Send(t.Context(), sinktest.Batch(0, 1)); !sink.IsUnreachable(err) || !strings.Contains(err.Error(), "not allowed") {
		t.Errorf("Send = %v", err)
	}
}

// TestAWS looks at what a broker of Amazon MSK is shown. Its region would be in the broker's name.
func TestAWS(t *testing.T) {
	t.Setenv("AWS_REGION", "eu-central-1")
	d := start(t, everybody()...)
	shown := make(chan string, 100)
	d.shown("AWS_MSK_IAM", func(text string) bool {
		shown <- text
		return true
	})
	s := d.open(t, `"authentication":{"awsIAM":{"accessKeyID":"AKIAEXAMPLE","secretAccessKey":"`+password+`","sessionToken":"session"}}`)
	must(t, s.Send(t.Context(), sinktest.Batch(0, 1)))
	var signed map[string]string
	must(t, json.Unmarshal([]byte(<-shown), &signed))
	if !strings.HasPrefix(signed["x-amz-credential"], "AKIAEXAMPLE/") || !strings.HasSuffix(signed["x-amz-credential"], "/eu-central-1/kafka-cluster/aws4_request") ||
		signed["x-amz-security-token"] != "session" || signed["action"] != "kafka-cluster:Connect" || signed["x-amz-signature"] == "" || signed["user-agent"] != "mailvane" {
		t.Errorf("shown: %v", signed)
	}
}

// TestRights has users who lack one, and get it. The sink that was refused needs no restart.
func TestRights(t *testing.T) {
	t.Parallel()
	describe := kfake.ACL{Resource: kmsg.ACLResourceTypeTopic, Name: topic, Pattern: kmsg.ACLResourcePatternTypeLiteral, Operation: kmsg.ACLOperationDescribe, Allow: true}
	for name, acls := range map[string][]kfake.ACL{"none": nil, "it may look": {describe}} {
		d := start(t, user("PLAIN", password, acls...)...)
		s := d.open(t, basic)
		for what, err := range map[string]error{"Probe": s.(sink.Prober).Probe(t.Context()), "Send": s.Send(t.Context(), sinktest.Batch(0, 2))} {
			if sink.CauseOf(err) != sink.CredentialRefused || sink.IsPermanent(err) || !strings.Contains(err.Error(), "Write") {
				t.Errorf("%s: %s = %v", name, what, err)
			}
		}
		d.allow(t)
		must(t, s.(sink.Prober).Probe(t.Context()))
		must(t, s.Send(t.Context(), sinktest.Batch(0, 2)))
		if n := len(d.received(t)); n != 2 {
			t.Errorf("%s: %d records of 2 events", name, n)
		}
	}
}

// allow lets the sink write to all topics.
func (d *destination) allow(t *testing.T) {
	t.Helper()
	request := kmsg.NewPtrCreateACLsRequest()
	c := kmsg.NewCreateACLsRequestCreation()
	c.ResourceType, c.ResourceName, c.ResourcePatternType = kmsg.ACLResourceTypeTopic, "*", kmsg.ACLResourcePatternTypeLiteral
	c.Principal, c.Host, c.Operation, c.PermissionType = "User:mailvane", "*", kmsg.ACLOperationWrite, kmsg.ACLPermissionTypeAllow
	request.Creations = append(request.Creations, c)
	answer, err := request.RequestWith(t.Context(), d.as(t))
	must(t, err)
	must(t, kerr.ErrorForCode(answer.Results[0].ErrorCode))
}

// TestNoProducerID has brokers before Kafka 3.0 refuse one to a user without IdempotentWrite: the client never asks for another.
func TestNoProducerID(t *testing.T) {
	t.Parallel()
	d := start(t)
	d.fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.ClusterAuthorizationFailed, Count: -1, TopLevel: true})
	s := d.open(t, basic)
	for range 2 {
		for what, err := range map[string]error{"Probe": s.(sink.Prober).Probe(t.Context()), "Send": s.Send(t.Context(), sinktest.Batch(0, 2))} {
			if sink.CauseOf(err) != sink.CredentialRefused || !strings.Contains(err.Error(), "idempotence to Disable") {
				t.Errorf("%s = %v", what, err)
			}
		}
	}
	must(t, d.open(t, basic+`,"idempotence":"Disable"`).Send(t.Context(), sinktest.Batch(0, 1)))
	d.mend(t)
	must(t, s.Send(t.Context(), sinktest.Batch(1, 2)))
}

// TestAnOldProtocol speaks that of an earlier version.
func TestAnOldProtocol(t *testing.T) {
	t.Parallel()
	d := start(t)
	var asked atomic.Int32
	d.cluster.ControlKey(int16(kmsg.ApiVersions), func(r kmsg.Request) (kmsg.Response, error, bool) {
		d.cluster.KeepControl()
		if r.GetVersion() > 3 {
			asked.Add(1)
			return nil, fmt.Errorf("closed"), true
		}
		return nil, nil, false
	})
	must(t, d.open(t, basic+`,"protocolVersion":"3.8"`).Send(t.Context(), sinktest.Batch(0, 1)))
	if asked.Load() != 0 {
		t.Errorf("a version was asked for that is newer than 3.8")
	}
	if _, err := kafkasink.Kind().New([]byte(d.settings(`"protocolVersion":"9.9"`)), sink.Environment{}); err == nil || !strings.Contains(err.Error(), "protocolVersion 9.9") {
		t.Errorf("New = %v", err)
	}
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	const name = "kafka.internal"
	a, err := authority.New()
	must(t, err)
	server, err := a.Issue(name)
	must(t, err)
	me, err := a.Issue("mailvane")
	must(t, err)
	config, err := a.Client(server, "")
	must(t, err)
	config.ClientCAs, config.ClientAuth = config.RootCAs, tls.RequireAndVerifyClientCert
	d := start(t, kfake.TLS(config))
	sinktest.Trusts(t, sinktest.Trust{
		Kind: kafkasink.Kind(), Authority: a, ServerName: name, Client: me,
		Settings: func(tls string) string {
			return fmt.Sprintf(`{"brokers":[%q],"topic":%q,"tls":%s}`, d.address, topic, tls)
		},
	})
}
