package command

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/time/rate"

	"github.com/mailvane/mailvane/cmd/mailvane/internal/sender"
)

const sendLong = `Send requests to an endpoint as its provider would: the documented samples, fresh, correctly signed and carrying the
endpoint's further factors, all taken from the manifests.

--event names one sample or "all"; --count repeats it, each time as a new event. MailChannels signs with a private key that
no endpoint knows: for tests, the annotation mailvane.dev/send-signing-key-secret of the endpoint names a Secret that holds
one of its own under the key privateKey.`

// sendTimeout bounds one request.
const sendTimeout = 30 * time.Second

type sendOptions struct {
	folder, endpoint, event, url string
	count, rate                  int
}

func newSend() *cobra.Command {
	var o sendOptions
	c := &cobra.Command{
		Use: "send -f DIR --endpoint NAME", Short: "Send signed test requests to an endpoint", Long: sendLong, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.run(c.Context(), c.OutOrStdout()) },
	}
	folderFlag(c, &o.folder)
	f := c.Flags()
	f.StringVar(&o.endpoint, "endpoint", "", "the endpoint, NAME or NAMESPACE/NAME")
	f.StringVar(&o.event, "event", "all", `the sample to send, or "all"`)
	f.StringVar(&o.url, "url", "http://127.0.0.1:8080", "where the receiver listens")
	f.IntVar(&o.count, "count", 1, "how often to send")
	f.IntVar(&o.rate, "rate", 0, "requests per second; 0 = as fast as they are answered")
	cobra.CheckErr(c.MarkFlagRequired("endpoint"))
	return c
}

func (o *sendOptions) run(ctx context.Context, out io.Writer) error {
	target, err := loadTarget(ctx, o.folder, o.endpoint)
	if err != nil {
		return err
	}
	target.BaseURL = o.url
	samples, err := sender.Samples(&target.Kind)
	if err != nil {
		return err
	}
	if samples, err = sender.Select(samples, o.event); err != nil {
		return err
	}
	limit := rate.NewLimiter(rate.Inf, 1)
	if o.rate > 0 {
		limit.SetLimit(rate.Limit(o.rate))
	}
	client := &http.Client{Timeout: sendTimeout}
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
		return fmt.Errorf("%d requests were refused", refused)
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
func post(ctx context.Context, client *http.Client, target *sender.Target, s *sender.Sample) (answer, error) {
	request, err := target.Request(ctx, s, uniqueText(), time.Now())
	if err != nil {
		return answer{}, err
	}
	response, err := client.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("is a receiver running there? %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswerBytes))
	if err != nil {
		return answer{}, fmt.Errorf("read answer: %w", err)
	}
	return answer{status: response.StatusCode, body: body}, nil
}

func uniqueText() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
