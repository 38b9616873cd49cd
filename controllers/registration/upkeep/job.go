package upkeep

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/mailvane/mailvane/api/v1alpha1"
	"github.com/mailvane/mailvane/controllers/condition"
	"github.com/mailvane/mailvane/controllers/registration"
	"github.com/mailvane/mailvane/controllers/registration/rest"
	"github.com/mailvane/mailvane/controllers/render"
)

// job is one webhook that is to be looked at.
type job struct {
	endpoint *v1alpha1.WebhookEndpoint
	vendor   *registration.Vendor
	title    string // the provider's name
	state    *state
	api      registration.API
	account  accountID
	secrets  *rest.Secrets
	wanted   registration.Wanted
	sent     string // the hash of wanted
	needsKey bool
}

// prepare makes sure that the endpoint has a key, if only one by which nothing can be verified: without any it answers nobody, and providers may ask.
func (r *Reconciler) prepare(ctx context.Context, e *v1alpha1.WebhookEndpoint, vendor *registration.Vendor) (*state, condition.Finding, error) {
	s, finding, err := r.read(ctx, e)
	if err != nil || !finding.OK() {
		return nil, finding, err
	}
	if render.KeyField(e) != "" && s.key == "" {
		if s.key, err = vendor.NewKey(); err != nil {
			return nil, condition.Finding{}, fmt.Errorf("make a key: %w", err)
		}
		s.KeyTold = false
	}
	return s, condition.Finding{}, r.save(ctx, e, s)
}

// waiting says why an endpoint cannot be registered yet: providers ask whether somebody is there.
func waiting(e *v1alpha1.WebhookEndpoint, vendor *registration.Vendor) condition.Finding {
	pending := func(message string) condition.Finding {
		return condition.Finding{Reason: v1alpha1.ReasonRegistrationPending, Message: message}
	}
	programmed := meta.FindStatusCondition(e.Status.Conditions, v1alpha1.ConditionProgrammed)
	if programmed == nil || programmed.Status != metav1.ConditionTrue || programmed.ObservedGeneration != e.Generation {
		return pending("The endpoint is registered when its receiver has loaded it; see the condition Programmed.")
	}
	if e.Spec.Exposure != nil && statusOf(e, v1alpha1.ConditionExposed) == metav1.ConditionFalse {
		return pending("The endpoint is registered when it is exposed; see the condition Exposed.")
	}
	if !vendor.LocalURL && !strings.HasPrefix(e.Status.URL, "https://") {
		return pending("status.url is not an https URL, which the provider could reach and which keeps credentials: set spec.exposure, with TLS.")
	}
	return condition.Finding{}
}

func statusOf(e *v1alpha1.WebhookEndpoint, conditionType string) metav1.ConditionStatus {
	if c := meta.FindStatusCondition(e.Status.Conditions, conditionType); c != nil {
		return c.Status
	}
	return metav1.ConditionUnknown
}

// job reads the credentials of an endpoint's webhook and makes of them what is wanted.
func (r *Reconciler) job(ctx context.Context, e *v1alpha1.WebhookEndpoint, vendor *registration.Vendor, s *state) (*job, condition.Finding, error) {
	credentials, finding, err := r.credentials(ctx, e)
	if err != nil || !finding.OK() {
		return nil, finding, err
	}
	j := &job{endpoint: e, vendor: vendor, title: titleOf(e), state: s, needsKey: render.KeyField(e) != "" && !render.NamesKeys(e)}
	if finding = j.want(&credentials); !finding.OK() {
		return nil, finding, nil
	}
	r.open(j, credentials.APIKey)
	return j, condition.Finding{}, nil
}

// credentials reads what an endpoint's webhook is registered with.
func (r *Reconciler) credentials(ctx context.Context, e *v1alpha1.WebhookEndpoint) (render.Registration, condition.Finding, error) {
	secrets := map[string]*corev1.Secret{}
	for _, name := range render.RegistrationSecrets(e) {
		var secret corev1.Secret
		err := r.Live.Get(ctx, client.ObjectKey{Namespace: e.Namespace, Name: name}, &secret)
		if apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return render.Registration{}, condition.Finding{}, fmt.Errorf("read Secret %s: %w", name, err)
		}
		secrets[name] = &secret
	}
	credentials, problems := render.RegistrationOf(e, func(_, name string) (map[string][]byte, bool) {
		if secret := secrets[name]; secret != nil {
			return secret.Data, true
		}
		return nil, false
	}, func(_, name string) string {
		if secret := secrets[name]; secret != nil {
			return string(secret.Type)
		}
		return ""
	})
	return credentials, condition.OfProblems(problems), nil
}

// want says what the webhook is to be like.
func (j *job) want(c *render.Registration) condition.Finding {
	e := j.endpoint
	if finding := j.carried(); !finding.OK() {
		return finding
	}
	address, err := url.Parse(e.Status.URL)
	if err != nil {
		return condition.Finding{Reason: v1alpha1.ReasonRegistrationPending, Message: "status.url cannot be read."}
	}
	if c.PathToken != "" {
		address = address.JoinPath(url.PathEscape(c.PathToken))
	}
	w := registration.Wanted{Name: "mailvane " + e.Namespace + "/" + e.Name, Events: j.vendor.Events}
	if len(e.Spec.Registration.Events) > 0 {
		w.Events = e.Spec.Registration.Events
	}
	if c.Password != "" && j.vendor.Carries.BasicFields {
		w.Username, w.Password = c.Username, c.Password
	} else if c.Password != "" {
		address.User = url.UserPassword(c.Username, c.Password)
	}
	if c.HeaderValue != "" {
		w.Header, w.HeaderValue = e.Spec.Authentication.Header.Name, c.HeaderValue
	}
	if j.needsKey && j.vendor.SetsKey {
		w.Key = j.state.key
	}
	w.URL = address.String()
	j.wanted, j.sent = w, hashOf(w)
	j.secrets = rest.NewSecrets(c.APIKey, c.PathToken, c.Username+":"+c.Password, c.Password, c.HeaderValue, j.state.key, j.state.previous, w.URL)
	return condition.Finding{}
}

// carried refuses what the provider cannot be told to send: each of its requests would be refused.
func (j *job) carried() condition.Finding {
	factors, carries := &j.endpoint.Spec.Authentication, &j.vendor.Carries
	var what string
	switch {
	case len(factors.Basic.SecretRefs) > 0 && !carries.BasicInURL && !carries.BasicFields:
		what = "user name and password (spec.authentication.basic)"
	case len(factors.Header.SecretRefs) > 0 && !carries.Header:
		what = "a header (spec.authentication.header)"
	case factors.OIDC.Issuer != "":
		what = "a token (spec.authentication.oidc)"
	default:
		return condition.Finding{}
	}
	return condition.Finding{Reason: v1alpha1.ReasonRegistrationRefused, Message: fmt.Sprintf(
		"%s cannot be told by its API to send %s, so that each of its requests would be refused: use spec.authentication.pathToken instead.", j.title, what)}
}

// open opens the account.
func (r *Reconciler) open(j *job, key string) {
	spec := j.endpoint.Spec.Registration
	base := spec.BaseURL
	if base == "" {
		base = j.vendor.Bases[spec.Region]
	}
	j.account = newAccountID(string(j.endpoint.Spec.Provider.Type), base, spec.Account, key)
	j.api = j.vendor.Open(registration.Account{Key: key, Name: spec.Account, BaseURL: base}, rest.New(r.Transport, base, j.secrets, r.Now))
}

func hashOf(w registration.Wanted) string {
	document, _ := json.Marshal(w) //nolint:gosec // it is hashed; a struct of texts can always be encoded
	sum := sha256.Sum256(document)
	return hex.EncodeToString(sum[:])
}
