package controllers_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/registration/standin"
	"github.com/mailvane/mailvane/controllers/registration/upkeep"
	"github.com/mailvane/mailvane/controllers/render/children"
)

// providersAPIs stands for the internet: a request is answered by the account that it is for.
type providersAPIs struct {
	mu       sync.Mutex
	accounts []providersAccount
}

// providersAccount is a stand-in, and the word by which requests to it are known: a host, or a key.
type providersAccount struct {
	word    string
	handler http.Handler
}

func (p *providersAPIs) serve(word string, handler http.Handler) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.accounts = append(p.accounts, providersAccount{word, handler})
}

// RoundTrip answers without a connection.
func (p *providersAPIs) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	accounts := slices.Clone(p.accounts)
	p.mu.Unlock()
	said := r.URL.Host + " " + fmt.Sprint(r.Header)
	for _, a := range accounts {
		if strings.Contains(said, a.word) {
			inner := r.Clone(r.Context())
			if inner.Body == nil {
				inner.Body = http.NoBody
			}
			inner.Header.Set("X-Api-Key", strings.TrimPrefix(inner.Header.Get("X-Api-Key"), a.word))
			inner.URL.Path = strings.TrimPrefix(inner.URL.Path, "/tx/v1")
			w := httptest.NewRecorder()
			a.handler.ServeHTTP(w, inner)
			return w.Result(), nil
		}
	}
	return nil, errors.New("no such host")
}

const registrationToken = "LEAK-path-token-0123456789"

// registering returns an endpoint of MailChannels, exposed at a host of its own, whose webhook is kept registered, with its Secrets.
func (p *place) registering(name string, policy v1alpha1.RegistrationDeletionPolicy) *v1alpha1.WebhookEndpoint {
	e := exposed(name, p.namespace+".example.com")
	e.Spec.Path = "" // everything below a path with a token is the endpoint's, so that it has to be one of the namespace's
	e.Spec.Provider = v1alpha1.Provider{Type: v1alpha1.MailChannels, MailChannels: &v1alpha1.MailChannelsProvider{CustomerHandles: []string{"abc123"}}}
	e.Spec.Authentication.PathToken.SecretRefs = []v1alpha1.SecretKeyReference{{Name: "token", Key: "key"}}
	e.Spec.Registration = &v1alpha1.Registration{APIKeyRef: v1alpha1.SecretKeyReference{Name: "api", Key: "key"}, DeletionPolicy: policy}
	return e
}

func (p *place) url(name string) string {
	return "https://" + p.namespace + ".example.com/hooks/" + p.namespace + "/" + name + "/" + registrationToken
}

// account makes an account at MailChannels whose key begins with the namespace.
func (p *place) account() *standin.MailChannels {
	account := standin.NewMailChannels()
	running.providers.serve(p.namespace, account)
	return account
}

func urlsOf(a *standin.MailChannels) (urls []string) {
	a.Locked(func() { urls = slices.Clone(a.URLs) })
	slices.Sort(urls)
	return urls
}

func (p *place) haveURLs(a *standin.MailChannels, want ...string) error {
	slices.Sort(want)
	if got := urlsOf(a); !slices.Equal(got, want) {
		return fmt.Errorf("the account has %v, want %v", got, want)
	}
	return nil
}

func (p *place) registered(name string, status metav1.ConditionStatus, reason string) error {
	return p.is(name, v1alpha1.ConditionRegistered, status, reason)
}

// testAWebhookIsRegistered follows a webhook: one API key in, a working endpoint out.
func testAWebhookIsRegistered(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	account := p.account()
	const foreign = "https://other.example.com/hooks"
	account.Locked(func() {
		account.URLs = []string{foreign}
		account.Answers[p.url("e0")] = http.StatusOK
	})
	p.create(secret("api", p.namespace+standin.APIKey), secret("token", registrationToken))
	p.create(p.registering("e0", v1alpha1.RegistrationDelete))
	eventually(t, func() error { // nobody would answer the provider yet
		return p.registered("e0", metav1.ConditionFalse, v1alpha1.ReasonRegistrationPending)
	})
	if requests := account.Requests(); len(requests) > 0 {
		t.Errorf("the provider was asked: %v", requests)
	}
	p.serve()
	eventually(t, func() error {
		return errors.Join(p.ready("e0"), p.registered("e0", metav1.ConditionTrue, v1alpha1.ReasonReconciled))
	})
	if err := p.haveURLs(account, foreign, p.url("e0")); err != nil {
		t.Error(err)
	}
	var e v1alpha1.WebhookEndpoint
	eventually(t, func() error {
		if err := p.get("e0", &e); err != nil {
			return err
		}
		if text := fmt.Sprint(e.Status.Conditions); !strings.Contains(text, "The endpoint took its test delivery") {
			return errors.New(text)
		}
		return nil
	})
	account.Locked(func() { account.URLs = []string{foreign} }) // somebody removes it
	eventually(t, func() error { return p.haveURLs(account, foreign, p.url("e0")) })
	p.saysNothingOf(standin.APIKey, registrationToken)
	p.remove(&e)
	eventually(t, func() error { return p.haveURLs(account, foreign) })
	p.gone("e0", &v1alpha1.WebhookEndpoint{})
}

// saysNothingOf looks for credentials in everything but Secrets that the namespace has.
func (p *place) saysNothingOf(credentials ...string) {
	p.t.Helper()
	var endpoints v1alpha1.WebhookEndpointList
	var events eventsv1.EventList
	for _, list := range []client.ObjectList{&endpoints, &events} {
		if err := p.client.List(p.t.Context(), list, client.InNamespace(p.namespace)); err != nil {
			p.t.Fatal(err)
		}
		text, err := json.Marshal(list)
		if err != nil {
			p.t.Fatal(err)
		}
		for _, c := range credentials {
			if strings.Contains(string(text), c) {
				p.t.Errorf("%s is in %s", c, text)
			}
		}
	}
}

// testAWebhookIsRetained deletes an endpoint, whose webhook stays, and one that cannot be removed any more.
func testAWebhookIsRetained(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	account := p.account()
	p.create(secret("api", p.namespace+standin.APIKey), secret("token", registrationToken))
	p.create(p.registering("e0", v1alpha1.RegistrationRetain), p.registering("e1", v1alpha1.RegistrationDelete))
	p.serve()
	eventually(t, func() error { return p.haveURLs(account, p.url("e0"), p.url("e1")) })
	eventually(t, func() error { return p.registered("e1", metav1.ConditionTrue, v1alpha1.ReasonReconciled) })
	for name, want := range map[string]bool{"e0": false, "e1": true} {
		var e v1alpha1.WebhookEndpoint
		if err := p.get(name, &e); err != nil || slices.Contains(e.Finalizers, upkeep.Finalizer) != want {
			t.Errorf("%s: finalizers %v, %v", name, e.Finalizers, err)
		}
	}
	p.remove(endpoint("e0", "", ""))
	p.gone("e0", &v1alpha1.WebhookEndpoint{})
	p.remove(secret("api", ""))
	p.remove(endpoint("e1", "", ""))
	p.gone("e1", &v1alpha1.WebhookEndpoint{})
	eventually(t, func() error { return p.hasEvent("e1", v1alpha1.ReasonWebhookRetained) })
	if err := p.haveURLs(account, p.url("e0"), p.url("e1")); err != nil {
		t.Error(err)
	}
}

// testARotatedPathToken moves the webhook, and removes the old one without taking that of somebody else with it.
func testARotatedPathToken(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	account := p.account()
	const foreign = "https://other.example.com/hooks"
	account.Locked(func() { account.URLs = []string{foreign} })
	p.create(secret("api", p.namespace+standin.APIKey), secret("token", "LEAK-older-token-0123456789"))
	p.create(p.registering("e0", v1alpha1.RegistrationDelete))
	p.serve()
	eventually(t, func() error { return p.registered("e0", metav1.ConditionTrue, v1alpha1.ReasonReconciled) })
	token := secret("token", "")
	p.edit(token, func() { token.Data["key"] = []byte(registrationToken) })
	eventually(t, func() error { return p.haveURLs(account, foreign, p.url("e0")) })
}

// testAKeyOfTheAPIThatIsRefused is told in the provider's words, and asked about again only after a while.
func testAKeyOfTheAPIThatIsRefused(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	account := p.account()
	p.create(secret("token", registrationToken), p.registering("e0", v1alpha1.RegistrationRetain))
	p.serve()
	eventually(t, func() error { return p.registered("e0", metav1.ConditionFalse, v1alpha1.ReasonSecretNotFound) })
	api := secret("api", p.namespace+"-LEAK-another-key")
	p.create(api)
	eventually(t, func() error { return p.registered("e0", metav1.ConditionFalse, v1alpha1.ReasonCredentialRefused) })
	var e v1alpha1.WebhookEndpoint
	if err := p.get("e0", &e); err != nil || !strings.Contains(fmt.Sprint(e.Status.Conditions), "is not known") {
		t.Errorf("%+v, %v", e.Status.Conditions, err)
	}
	account.Requests()
	p.edit(&e, func() { e.Labels = map[string]string{"a": "b"} })
	time.Sleep(500 * time.Millisecond) // in which nothing is to happen
	if requests := account.Requests(); len(requests) > 0 {
		t.Errorf("it asks again at once: %v", requests)
	}
	p.edit(api, func() { api.Data["key"] = []byte(p.namespace + standin.APIKey) })
	eventually(t, func() error { return p.registered("e0", metav1.ConditionTrue, v1alpha1.ReasonReconciled) })
	p.saysNothingOf("LEAK-another-key", standin.APIKey, registrationToken)
}

// testTheManagerMakesTheKey gives an EmailEngine in the cluster nothing but a key of its API.
func testTheManagerMakesTheKey(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	engine := standin.NewEmailEngine()
	running.providers.serve("engine."+p.namespace+".svc:3000", engine)
	e := endpoint("e0", "", "crm")
	e.Spec.Provider.EmailEngine = &v1alpha1.EmailEngineProvider{}
	e.Spec.Registration = &v1alpha1.Registration{
		APIKeyRef: v1alpha1.SecretKeyReference{Name: "api", Key: "key"}, BaseURL: "http://engine." + p.namespace + ".svc:3000",
	}
	p.create(secret("api", standin.APIKey), e)
	p.serve()
	eventually(t, func() error {
		return errors.Join(p.ready("e0"), p.registered("e0", metav1.ConditionTrue, v1alpha1.ReasonReconciled))
	})
	var key, url string
	engine.Locked(func() {
		key, url = standin.Setting[string](engine, "serviceSecret"), standin.Setting[string](engine, "webhooks")
	})
	if want := "http://mailvane-receiver." + p.namespace + ".svc:8080/hooks/" + p.namespace + "/e0"; url != want {
		t.Errorf("url %q, want %q", url, want)
	}
	var kept corev1.Secret
	if err := p.get(children.RegistrationSecretName("e0"), &kept); err != nil {
		t.Fatal(err)
	}
	if owner := metav1.GetControllerOf(&kept); kept.Type != children.RegistrationSecretType || owner == nil || owner.UID != e.UID || string(kept.Data["key"]) != key || key == "" {
		t.Errorf("the Secret is of type %s and has %d keys; EmailEngine has %q", kept.Type, len(kept.Data), key)
	}
	c, err := p.config()
	if err != nil || !strings.Contains(string(c.Endpoints[0].Provider.Settings), key) {
		t.Errorf("the receiver does not have the key: %v", err)
	}
	p.remove(&kept) // the key is lost, and made anew on both sides
	eventually(t, func() error {
		var now string
		engine.Locked(func() { now = standin.Setting[string](engine, "serviceSecret") })
		c, err := p.config()
		if err != nil || now == key || !strings.Contains(string(c.Endpoints[0].Provider.Settings), now) {
			return fmt.Errorf("not yet: %w", err)
		}
		return nil
	})
}

// testASecretOfSomebodyElse has the name of that in which the manager keeps a key: it is neither read nor written.
func testASecretOfSomebodyElse(t *testing.T) {
	t.Parallel()
	p := prepared(t)
	engine := standin.NewEmailEngine()
	running.providers.serve("engine."+p.namespace+".svc:3000", engine)
	e := endpoint("e0", "", "crm")
	e.Spec.Provider.EmailEngine = &v1alpha1.EmailEngineProvider{}
	e.Spec.Registration = &v1alpha1.Registration{
		APIKeyRef: v1alpha1.SecretKeyReference{Name: "api", Key: "key"}, BaseURL: "http://engine." + p.namespace + ".svc:3000",
	}
	p.create(secret("api", standin.APIKey), secret(children.RegistrationSecretName("e0"), "LEAK-of-somebody-else"), e)
	p.serve()
	eventually(t, func() error { return p.registered("e0", metav1.ConditionFalse, v1alpha1.ReasonNameTaken) })
	c, err := p.config()
	if err != nil || strings.Contains(string(c.Endpoints[0].Provider.Settings), "LEAK") || len(engine.Requests()) > 0 {
		t.Errorf("it was used: %v", err)
	}
}
