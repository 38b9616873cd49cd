package command

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/cluster"
	"github.com/mailvane/mailvane/cmd/mailvane/internal/sender"
	"github.com/mailvane/mailvane/internal/simulate"
)

const sendLong = `Send requests to an endpoint as its provider would: the documented samples, fresh, correctly signed and carrying the
endpoint's further factors.

With -f the endpoint and its Secrets are taken from a folder of manifests, and the requests go to --url. Without it they are
taken from the cluster of the kubeconfig, with your own rights there, and the requests go to a ready receiver pod that serves
the endpoint, through the API server's port-forward, or to --url. For the pod such requests come from 127.0.0.1, which matters
to allowedCIDRs.

--event names one sample or "all"; --count repeats it, each time as a new event. MailChannels signs with a private key that
no endpoint knows: for tests, the annotation mailvane.dev/send-signing-key-secret of the endpoint names a Secret that holds
one of its own under the key privateKey.`

// sendTimeout bounds one request.
const sendTimeout = 30 * time.Second

// localURL is where "run" takes webhooks unless told otherwise.
const localURL = "http://127.0.0.1:8080"

type sendOptions struct {
	folder, endpoint, event, url string
	count, rate                  int
	cluster                      cluster.Options
}

func newSend() *cobra.Command {
	var o sendOptions
	c := &cobra.Command{
		Use: "send [-f DIR] --endpoint NAME", Short: "Send signed test requests to an endpoint", Long: sendLong, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context(), c.OutOrStdout()) },
	}
	f := c.Flags()
	f.StringVarP(&o.folder, "filename", "f", "", "folder (or file) of manifests, in place of a cluster")
	clusterFlags(c, &o.cluster)
	for _, other := range []string{"kubeconfig", "context", "namespace"} {
		c.MarkFlagsMutuallyExclusive("filename", other)
	}
	f.StringVar(&o.endpoint, "endpoint", "", "the endpoint, NAME or NAMESPACE/NAME")
	f.StringVar(&o.event, "event", "all", `the sample to send, or "all"`)
	f.StringVar(&o.url, "url", "", "where the receiver listens; with -f "+localURL+" unless given")
	f.IntVar(&o.count, "count", 1, "how often to send")
	f.IntVar(&o.rate, "rate", 0, "requests per second; 0 = as fast as they are answered")
	cobra.CheckErr(c.MarkFlagRequired("endpoint"))
	return c
}

// resolve returns what to send to, and what sends.
func (o *sendOptions) resolve(ctx context.Context) (*sender.Target, *http.Client, error) {
	client := &http.Client{Timeout: sendTimeout}
	if o.folder != "" {
		target, err := loadTarget(ctx, o.folder, o.endpoint)
		if err != nil {
			return nil, nil, err
		}
		target.BaseURL = cmp.Or(o.url, localURL)
		return target, client, nil
	}
	c, err := o.cluster.Open()
	if errors.Is(err, cluster.ErrNone) {
		return nil, nil, fmt.Errorf("%w; or give -f with a folder of manifests", err)
	}
	if err != nil {
		return nil, nil, err
	}
	target, err := clusterTarget(ctx, c, o.endpoint)
	if err != nil {
		return nil, nil, err
	}
	if o.url == "" {
		client, o.url, err = serving(ctx, c, &target.Endpoint)
	}
	target.BaseURL = o.url
	return target, client, err
}

func (o *sendOptions) limiter() *rate.Limiter {
	if o.rate > 0 {
		return rate.NewLimiter(rate.Limit(o.rate), 1)
	}
	return rate.NewLimiter(rate.Inf, 1)
}

// check completes an address without a scheme, and refuses what would send nothing.
func (o *sendOptions) check() error {
	if o.count < 1 {
		return &usageError{"--count: at least 1"}
	}
	if o.rate < 0 {
		return &usageError{"--rate: requests per second, or 0"}
	}
	if o.url != "" && !strings.Contains(o.url, "://") {
		o.url = "http://" + o.url
	}
	return nil
}

func (o *sendOptions) run(ctx context.Context, out io.Writer) error {
	if err := o.check(); err != nil {
		return err
	}
	target, client, err := o.resolve(ctx)
	if err != nil {
		return err
	}
	samples, err := target.Vendor.Samples()
	if err != nil {
		return err
	}
	if samples, err = sender.Select(samples, o.event); err != nil {
		return err
	}
	limit := o.limiter()
	refused := 0
	for range o.count {
		for i := range samples {
			if err := limit.Wait(ctx); err != nil {
				return fmt.Errorf("interrupted: %w", err)
			}
			result, err := post(ctx, client, target, &samples[i])
			if err != nil {
				return err
			}
			fmt.Fprintf(out, "%s %s %d %s\n", o.endpoint, samples[i].Name, result.status, bytes.TrimSpace(result.body))
			if result.status != http.StatusOK {
				refused++
			}
		}
	}
	if refused > 0 {
		return fmt.Errorf("refused: %d of %d requests", refused, o.count*len(samples))
	}
	return nil
}

// answer is what a receiver said to one request.
type answer struct {
	status int
	body   []byte
}

const maxAnswerBytes = 64 << 10

// post sends one sample as a new event.
func post(ctx context.Context, client *http.Client, target *sender.Target, s *simulate.Sample) (answer, error) {
	request, err := target.Request(ctx, s, uniqueText(), time.Now())
	if err != nil {
		return answer{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("is a receiver running at %s? %w", target.BaseURL, withoutURL(err))
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	return answer{status: response.StatusCode, body: body}, nil
}

// withoutURL drops the URL from a client's error: it may end with a path token.
func withoutURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}

func uniqueText() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
