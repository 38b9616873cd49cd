package main

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/tokenfile"
	"github.com/mailvane/mailvane/internal/catalogue"
	"github.com/mailvane/mailvane/receiver/admin"
	"github.com/mailvane/mailvane/receiver/provider/sns/snstest"
)

// credentials are all the secrets of one run. Each is found again by its text alone.
func credentials() map[string]string {
	word := func(what string) string { return "LEAK-" + what + "-8d1f3c5b7a9e" }
	return map[string]string{
		"HUB_SECRET": word("hub"), "SERVICE_SECRET": word("service"), "APP_KEY": word("app"),
		"PATH_TOKEN": word("token"), "PASSWORD": word("password"), "API_KEY": word("api"), "OLD_KEY": word("old"),
		"WEBHOOK_KEY": word("webhook"), "USER_PASSWORD": word("user"),
		"SINK_SECRET": "whsec_" + base64.StdEncoding.EncodeToString([]byte(word("signing-key-of-32-byte"))),
		"SINK_HEADER": "Bearer " + word("header"), "URL_KEY": word("query"), "URL_PASSWORD": word("userinfo"),
		// The private half of a demo key, see config/samples/quickstart.
		"PRIVATE_KEY": "MC4CAQAwBQYDK2VwBCIEIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f",
	}
}

const secretManifests = `apiVersion: v1
kind: Secret
metadata: {name: all, namespace: mail}
stringData:
  hub: HUB_SECRET
  service: SERVICE_SECRET
  app: APP_KEY
  webhook: WEBHOOK_KEY
  token: PATH_TOKEN
  username: somebody
  password: PASSWORD
  api: API_KEY
  old: OLD_KEY
  signing: SINK_SECRET
  header: SINK_HEADER
  privateKey: |
    -----BEGIN PRIVATE KEY-----
    PRIVATE_KEY
    -----END PRIVATE KEY-----
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: webexconnect, namespace: mail}
spec:
  provider: {type: WebexConnect, webexConnect: {hubSecretRefs: [{name: all, key: hub}, {name: all, key: old}]}}
  authentication: {basic: {secretRefs: [{name: all}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: emailengine, namespace: mail}
spec:
  provider: {type: EmailEngine, emailEngine: {serviceSecretRefs: [{name: all, key: service}]}}
  authentication: {header: {name: X-Api-Key, secretRefs: [{name: all, key: api}]}}
  routes: [{name: all, sinkRef: {name: echo}}, {name: down, sinkRef: {name: down}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: engagelab, namespace: mail}
spec:
  provider: {type: EngageLab, engageLab: {appKeyRefs: [{name: all, key: app}]}}
  authentication: {pathToken: {secretRefs: [{name: all, key: token}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: mandrill, namespace: mail}
spec:
  provider: {type: Mandrill, mandrill: {webhookKeyRefs: [{name: all, key: webhook}], publicURLs: ["https://somebody:USER_PASSWORD@hooks.example.com/hooks"]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: mailgun, namespace: mail}
spec:
  provider: {type: Mailgun, mailgun: {signingKeyRefs: [{name: all, key: webhook}]}}
  authentication: {pathToken: {secretRefs: [{name: all, key: token}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: brevo, namespace: mail}
spec:
  provider: {type: Brevo, brevo: {}}
  authentication: {basic: {secretRefs: [{name: all}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: sendgrid, namespace: mail}
spec:
  provider: {type: SendGrid, sendGrid: {}}
  authentication: {pathToken: {secretRefs: [{name: all, key: token}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: postmark, namespace: mail}
spec:
  provider: {type: Postmark, postmark: {}}
  authentication: {basic: {secretRefs: [{name: all}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata:
  name: mailchannels
  namespace: mail
  annotations: {mailvane.dev/send-signing-key-secret: all}
spec:
  provider:
    type: MailChannels
    mailChannels:
      customerHandles: [abc123]
      publicKeys: [{id: mckey, key: MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=}]
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: resend, namespace: mail}
spec:
  provider: {type: Resend, resend: {signingSecretRefs: [{name: all, key: signing}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: azurecommunicationservices, namespace: mail}
spec:
  provider: {type: AzureCommunicationServices, azureCommunicationServices: {subscriptionNames: [mailvane]}}
  authentication: {pathToken: {secretRefs: [{name: all, key: token}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: tencentses, namespace: mail}
spec:
  provider: {type: TencentSES, tencentSES: {}}
  authentication: {pathToken: {secretRefs: [{name: all, key: token}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: alibabadirectmail, namespace: mail}
spec:
  provider: {type: AlibabaDirectMail, alibabaDirectMail: {}}
  authentication: {pathToken: {secretRefs: [{name: all, key: token}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: gmailpubsub, namespace: mail}
spec:
  provider: {type: GmailPubSub, gmailPubSub: {}}
  authentication: {pathToken: {secretRefs: [{name: all, key: token}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: standardwebhooks, namespace: mail}
spec:
  provider: {type: StandardWebhooks, standardWebhooks: {signingSecretRefs: [{name: all, key: signing}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: v1
kind: Secret
metadata: {name: sns, namespace: mail}
stringData: {privateKey: SNS_KEY}
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: amazonses, namespace: mail, annotations: {mailvane.dev/send-signing-key-secret: sns}}
spec:
  provider: {type: AmazonSES, amazonSES: {topicARNs: ['arn:aws:sns:eu-west-1:123456789012:t'], certificates: [SNS_CERTIFICATE]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: scalewaytem, namespace: mail, annotations: {mailvane.dev/send-signing-key-secret: sns}}
spec:
  provider: {type: ScalewayTEM, scalewayTEM: {topicARNs: ['arn:scw:sns:fr-par:project-1:t'], certificateAuthorities: [SNS_CERTIFICATE]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: mailjet, namespace: mail}
spec:
  provider: {type: Mailjet, mailjet: {}}
  authentication: {basic: {secretRefs: [{name: all}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: sparkpost, namespace: mail}
spec:
  provider: {type: SparkPost, sparkPost: {}}
  authentication: {basic: {secretRefs: [{name: all}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: mailtrap, namespace: mail}
spec:
  provider: {type: Mailtrap, mailtrap: {signingSecretRefs: [{name: all, key: webhook}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: smtp2go, namespace: mail}
spec:
  provider: {type: SMTP2GO, smtp2go: {}}
  authentication: {basic: {secretRefs: [{name: all}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: unisendergo, namespace: mail}
spec:
  provider: {type: UnisenderGo, unisenderGo: {apiKeyRefs: [{name: all, key: webhook}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: mailersend, namespace: mail}
spec:
  provider: {type: MailerSend, mailerSend: {signingSecretRefs: [{name: all, key: webhook}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: postal, namespace: mail, annotations: {mailvane.dev/send-signing-key-secret: sns}}
spec:
  provider: {type: Postal, postal: {publicKeys: [{id: a, key: TOPICS_PUBLIC}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: microsoftgraph, namespace: mail}
spec:
  provider:
    type: MicrosoftGraph
    microsoftGraph: {clientStateRefs: [{name: all, key: webhook}], decryptionKeys: [{certificateID: demo, keyRef: {name: sns, key: privateKey}}]}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: nylas, namespace: mail}
spec:
  provider: {type: Nylas, nylas: {webhookSecretRefs: [{name: all, key: webhook}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: customerio, namespace: mail}
spec:
  provider: {type: CustomerIO, customerIO: {signingKeyRefs: [{name: all, key: webhook}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: loops, namespace: mail}
spec:
  provider: {type: Loops, loops: {signingSecretRefs: [{name: all, key: signing}]}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: mailpace, namespace: mail, annotations: {mailvane.dev/send-signing-key-secret: all}}
spec:
  provider: {type: MailPace, mailPace: {publicKeys: ['A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=']}}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: WebhookEndpoint
metadata: {name: custom, namespace: mail}
spec:
  provider:
    type: Custom
    custom:
      signature: {scheme: HMAC, header: X-Signature, encoding: Hex, keyRefs: [{name: all, key: webhook}]}
      mapping: {type: item.event}
  routes: [{name: all, sinkRef: {name: echo}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: EventSink
metadata: {name: echo, namespace: mail}
spec:
  type: HTTP
  http:
    url: http://ECHO/events?key=URL_KEY
    signingSecretRefs: [{name: all, key: signing}]
    headers: [{name: Authorization, secretRef: {name: all, key: header}}]
---
apiVersion: mailvane.dev/v1alpha1
kind: EventSink
metadata: {name: down, namespace: mail}
spec:
  type: HTTP
  http:
    url: http://127.0.0.1:1/events?key=URL_KEY
    signingSecretRefs: [{name: all, key: signing}]
    headers: [{name: Authorization, secretRef: {name: all, key: header}}]
`

// outputs are all that one run has written, by where.
type outputs map[string]string

// leaks returns where which credentials are, in any of the forms in which they travel.
func (o outputs) leaks(secrets map[string]string) []string {
	var found []string
	for name, secret := range secrets {
		secret = strings.TrimPrefix(strings.TrimPrefix(secret, "Bearer "), "whsec_")
		raw := []byte(secret)
		forms := []string{
			secret, base64.StdEncoding.EncodeToString(raw), base64.RawURLEncoding.EncodeToString(raw), hex.EncodeToString(raw),
			base64.StdEncoding.EncodeToString([]byte("somebody:" + secret)), url.QueryEscape(secret),
		}
		for place, text := range o {
			for _, form := range forms {
				if strings.Contains(text, form) {
					found = append(found, fmt.Sprintf("%s in %s:\n%s", name, place, text))
					break
				}
			}
		}
	}
	return found
}

// TestNoCredentialIsShown lets everything fail that can, and looks for each credential in everything that is written.
func TestNoCredentialIsShown(t *testing.T) {
	t.Parallel()
	secrets := credentials()
	echo := listen(t, "127.0.0.1:0")
	// The sink says in its refusal all that it was sent.
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, "%s %s %s", r.Header.Get("Authorization"), r.URL, r.Header)
	})}
	go func() { _ = server.Serve(echo) }()
	t.Cleanup(func() { _ = server.Close() })
	topics := snstest.NewKey(t, snstest.Named("topics"), nil)
	replacements := []string{
		"ECHO", echo.Addr().String(), "SNS_KEY", strconv.Quote(string(topics.PEM)), "SNS_CERTIFICATE", strconv.Quote(string(topics.CertificatePEM)),
	}
	public, err := x509.MarshalPKIXPublicKey(&topics.Private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	replacements = append(replacements, "TOPICS_PUBLIC", base64.StdEncoding.EncodeToString(public))
	for name, secret := range secrets {
		replacements = append(replacements, name, secret)
	}
	manifests := strings.NewReplacer(replacements...).Replace(secretManifests)
	folder := t.TempDir()
	write(t, folder, "all.yaml", manifests)
	p := start(t, folder, t.TempDir())
	written := outputs{}
	command := func(arguments ...string) {
		t.Helper()
		out, status := mailvane(t, arguments...)
		written[strings.Join(arguments, " ")] = fmt.Sprintf("%d %s", status, out)
	}
	for _, provider := range catalogue.Providers() {
		name := provider.Folder()
		own := onlyEndpoint(t, manifests, name)
		command("send", "-f", own, "--endpoint", name, "--url", p.url)
		if got := written["send -f "+own+" --endpoint "+name+" --url "+p.url]; !strings.HasPrefix(got, "0 ") {
			t.Fatalf("send: %s", got)
		}
		command("send", "-f", own, "--endpoint", name, "--url", "http://127.0.0.1:1")
		command("send", "-f", own, "--endpoint", name, "--event", "nothing")
	}
	refuse(t, p, manifests, secrets, written)
	// The running receiver meets a mistake as well.
	write(t, folder, "all.yaml", strings.Replace(manifests, "{name: all, key: hub}", "{name: all, key: hob}", 1))
	eventually(t, "the mistake is logged", func() bool { return regexp.MustCompile(`no key .*hob`).MatchString(p.log()) })

	eventually(t, "the sinks have failed", func() bool {
		out, _ := mailvane(t, "deadletter", "list", "--admin", p.admin)
		down, _ := mailvane(t, "sinks", "--admin", p.admin)
		return strings.Count(out, "400") > 10 && strings.Contains(down, "failing")
	})
	for _, arguments := range [][]string{{"deadletter", "list"}, {"deadletter", "list", "-o", "json"}, {"deadletter", "show", "1"}, {"sinks"}, {"endpoints", "-o", "json"}} {
		command(append(arguments, "--admin", p.admin)...)
	}
	written["GET "+admin.PathMetrics] = ask(t, http.MethodGet, p.metrics+admin.PathMetrics, "")
	token := tokenfile.Find(strings.TrimPrefix(p.admin, "http://"))
	secrets["ADMIN_TOKEN"] = token
	for _, path := range []string{admin.PathConfig, admin.PathEndpoints, admin.PathSinks, admin.PathDeadLetters + "?limit=1000", admin.PathJournal} {
		written["GET "+path] = ask(t, http.MethodGet, p.admin+path, token)
	}
	written["standard error"], written["standard output"] = p.log(), p.printed()
	for _, leak := range written.leaks(secrets) {
		t.Error(leak)
	}
	if !strings.Contains(written["GET "+admin.PathDeadLetters+"?limit=1000"], "***") {
		t.Error("the sink was not quoted, and this test shows less than it says")
	}
	p.stop()
}

// refuse sends what is refused, and loads manifests with every kind of mistake beside a credential.
func refuse(t *testing.T, p *process, manifests string, secrets map[string]string, written outputs) {
	t.Helper()
	forged := strings.NewReplacer(secrets["SERVICE_SECRET"], "another", secrets["API_KEY"], secrets["API_KEY"]).Replace(manifests)
	wrong := t.TempDir()
	write(t, wrong, "all.yaml", forged)
	out, _ := mailvane(t, "send", "-f", wrong, "--endpoint", "emailengine", "--event", "trackOpen", "--url", p.url)
	if !strings.Contains(out, " 401 ") {
		t.Errorf("forged: %s", out)
	}
	written["forged"] = out
	for name, path := range map[string]string{
		"a token alone": "/hooks/mail/engagelab/" + secrets["PATH_TOKEN"], "a token too many": "/hooks/mail/emailengine/" + secrets["PATH_TOKEN"],
		"a token nowhere": "/nowhere/" + secrets["PATH_TOKEN"], "a token in a query": "/hooks/mail/engagelab?token=" + secrets["PATH_TOKEN"],
	} {
		written[name] = post(t, p.url+path)
	}
	for name, mistake := range map[string][2]string{
		"a line break":                  {"  hub: " + secrets["HUB_SECRET"], "  hub: \"" + secrets["HUB_SECRET"] + "\\n\""},
		"no base64":                     {"  signing: whsec_", "  signing: \"whsec_!"},
		"a credential that is a number": {"  app: ", "  app: 12 # "},
		"no header value":               {"  header: ", "  header: \"\\u0007\" # "},
		"no YAML":                       {"  hub: ", "  hub: [ "},
		"a field that is no ref":        {"serviceSecretRefs: [{name: all, key: service}]", "serviceSecrets: [" + secrets["SERVICE_SECRET"] + "]"},
		"a password in a URL":           {"http://127.0.0.1:1/", "http://user:" + secrets["URL_PASSWORD"] + "@127.0.0.1:1/"},
		"a URL that is none":            {"publicURLs: [\"https://", "publicURLs: [\"ftp://"},
		"a key that is missing":         {"{name: all, key: hub}", "{name: all, key: hob}"},
	} {
		broken := strings.Replace(manifests, mistake[0], mistake[1], 1)
		if name == "no base64" {
			broken = strings.Replace(broken, strings.TrimPrefix(secrets["SINK_SECRET"], "whsec_"), strings.TrimPrefix(secrets["SINK_SECRET"], "whsec_")+`"`, 1)
		}
		folder := t.TempDir()
		write(t, folder, "all.yaml", broken)
		out, status := mailvane(t, "check", "-f", folder)
		if status != 1 || broken == manifests {
			t.Errorf("%s: %d %s", name, status, out)
		}
		written["check with "+name] = out
	}
}

// post returns the status and the page that an unsigned request gets.
func post(t *testing.T, address string) string { return ask(t, http.MethodPost, address, "") }

func ask(t *testing.T, method, address, token string) string {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), method, address, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		q.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := (&http.Client{Timeout: time.Minute}).Do(q)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(response.StatusCode, response.Header, string(body))
}

// onlyEndpoint returns a folder with manifests of which one endpoint is left: a command checks all that it is given.
func onlyEndpoint(t *testing.T, manifests, name string) string {
	t.Helper()
	var left []string
	for document := range strings.SplitSeq(manifests, "\n---\n") {
		if !strings.Contains(document, "kind: WebhookEndpoint") || strings.Contains(document, "name: "+name+"\n") || strings.Contains(document, "name: "+name+",") {
			left = append(left, document)
		}
	}
	folder := t.TempDir()
	write(t, folder, "all.yaml", strings.Join(left, "\n---\n"))
	return folder
}
