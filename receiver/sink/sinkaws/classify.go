package sinkaws

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/mailvane/mailvane/receiver/sink"
)

// refusals say that the sink is not known, or may not do what it asks for:
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html and
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var refusals = []string{ //nolint:gochecknoglobals // a constant list
	"AccessDenied", "AccessDeniedException", "AccountProblem", "AllAccessDisabled", "AuthFailure", "AuthorizationError", "AuthorizationErrorException",
	"ExpiredToken", "ExpiredTokenException", "Forbidden", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidIdentityToken",
	"InvalidIdentityTokenException", "InvalidSecurity", "InvalidSecurityException", "InvalidSignatureException", "InvalidToken", "KMSAccessDenied", "KMSAccessDeniedException",
	"KmsAccessDenied", "KMS.AccessDeniedException", "MissingAuthenticationToken", "NotAuthorized", "OptInRequired", "RequestExpired", "RequestTimeTooSkewed",
	"SignatureDoesNotMatch", "UnauthorizedAccess", "UnrecognizedClientException",
	"XAdminUserNotFound", // what the Versity S3 Gateway says of a key that it does not know
}

// throttles say that there was too much in a time.
var throttles = []string{ //nolint:gochecknoglobals // a constant list
	"BandwidthLimitExceeded", "KMSThrottling", "KMSThrottlingException", "KmsThrottled", "RequestLimitExceeded", "RequestThrottled",
	"RequestThrottledException", "SlowDown", "Throttled", "ThrottledException", "Throttling", "ThrottlingException", "TooManyRequests",
	"TooManyRequestsException",
}

const (
	// throttledFor is how long to wait where a service does not say.
	throttledFor = time.Second
	// maxMessage bounds what is told of a service's message, in bytes.
	maxMessage = 300
)

// Codes are what the errors of one service mean beside those that all share.
type Codes struct {
	// Service is its name for people, such as "SQS".
	Service string
	// Missing say that what events go to is not there; Create says what to do.
	Missing []string
	Create  string
	// Permanent say that an event will never be taken.
	Permanent []string
	// Grant says which right the sink needs.
	Grant string
	// Hidden is what no error may hold.
	Hidden []string
}

// Error turns an error of a client into one of Send.
func (c *Codes) Error(err error) error {
	if err == nil {
		return nil
	}
	if _, away := errors.AsType[*dialError](err); away {
		return sink.Unreachable(fmt.Errorf("no connection to %s: %w", c.Service, cause(err)))
	}
	if errors.Is(err, errNoIdentity) {
		return sink.Because(sink.CredentialRefused, errNoIdentity)
	}
	status, after := answer(err)
	api, told := errors.AsType[smithy.APIError](err)
	switch {
	case told:
		return c.classify(api.ErrorCode(), api.ErrorMessage(), status, after)
	case status != 0:
		return c.classify("HTTP "+strconv.Itoa(status), "", status, after)
	default:
		return fmt.Errorf("%s did not answer: %w", c.Service, cause(err))
	}
}

// answer returns the HTTP status of a service and how long it asks to wait; 0 = there is no answer. The client has an error of an answer for
// connections that break, too.
func answer(err error) (status int, after time.Duration) {
	response, ok := errors.AsType[*smithyhttp.ResponseError](err)
	if !ok || response.Response == nil || response.Response.Response == nil {
		return 0, 0
	}
	return response.HTTPStatusCode(), retryAfter(response.Response.Header)
}

// Unasked turns an error of a probe into one of Send: where nothing was to be sent, a connection that breaks is none.
func (c *Codes) Unasked(err error) error {
	status, _ := answer(err)
	if _, told := errors.AsType[smithy.APIError](err); err != nil && status == 0 && !told && !errors.Is(err, errNoIdentity) {
		return sink.Unreachable(fmt.Errorf("no connection to %s: %w", c.Service, cause(err)))
	}
	return c.Error(err)
}

// Entry turns what a service says of one entry of a request into an error for that event alone.
func (c *Codes) Entry(code, message string) error { return c.classify(code, message, 0, 0) }

func (c *Codes) classify(code, message string, status int, after time.Duration) error {
	err := fmt.Errorf("%s says %s", c.Service, strings.TrimSuffix(code+": "+c.words(code, message), ": "))
	switch {
	case slices.Contains(c.Missing, code):
		return sink.Because(sink.DestinationNotFound, fmt.Errorf("%w; %s", err, c.Create))
	case slices.Contains(c.Permanent, code):
		return sink.Permanent(err)
	case slices.Contains(refusals, code), status == http.StatusUnauthorized, status == http.StatusForbidden:
		return sink.Because(sink.CredentialRefused, fmt.Errorf("%w; the sink needs %s", err, c.Grant))
	case slices.Contains(throttles, code), status == http.StatusTooManyRequests:
		return sink.Throttled(err, max(after, throttledFor))
	case after > 0:
		return sink.Throttled(err, after)
	}
	return err
}

// words are those of a message that may be told. About a signature they repeat the request, which has a session token.
func (c *Codes) words(code, message string) string {
	if strings.Contains(code, "Signature") {
		message, _, _ = strings.Cut(message, ".")
	}
	for _, hidden := range c.Hidden {
		if hidden != "" {
			message = strings.ReplaceAll(message, hidden, "***")
		}
	}
	return oneLine(message)
}

// cause returns what is at the bottom of an error: what is above names operations and attempts of the client.
func cause(err error) error {
	if d, ok := errors.AsType[*dialError](err); ok {
		return d.err
	}
	if sent, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		return sent.Err
	}
	return err
}

// retryAfter reads the header in seconds (RFC 9110 section 10.2.3), the only form that services of AWS use.
func retryAfter(h http.Header) time.Duration {
	seconds, err := strconv.ParseUint(h.Get("Retry-After"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// oneLine returns the beginning of a message, printable and on one line.
func oneLine(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) }), " ")
	if len(text) > maxMessage {
		text = strings.ToValidUTF8(text[:maxMessage], "")
	}
	return text
}

// HasCode reports whether a service has answered with one of the codes.
func HasCode(err error, codes ...string) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && slices.Contains(codes, api.ErrorCode())
}
