package kafkasink_test

import (
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/mailvane/mailvane/receiver/sink"
	"github.com/mailvane/mailvane/receiver/sink/sinktest"
)

// TestWhatBrokersAnswer has a broker answer as Kafka does in ways that the one of the tests does not by itself.
func TestWhatBrokersAnswer(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		key    kmsg.Key
		err    *kerr.Error
		cause  sink.Cause
		want   string
		final  bool
	}{
		"wrong password":  {"Kafka says so since 1.0", kmsg.SASLAuthenticate, kerr.SaslAuthenticationFailed, sink.CredentialRefused, "credentials", false},
		"other mechanism": {"it is not the password", kmsg.SASLHandshake, kerr.UnsupportedSaslMechanism, sink.CredentialRefused, "its way to show them", false},
		"no right to ask": {"it cannot write either", kmsg.Metadata, kerr.TopicAuthorizationFailed, sink.CredentialRefused, `"mail"`, false},
		"odd topic":       {"its name is too long, with what events put into it", kmsg.Metadata, kerr.InvalidTopicException, sink.DestinationNotFound, `"mail"`, false},
		"no right":        {"it may look, and not write", kmsg.Produce, kerr.TopicAuthorizationFailed, sink.CredentialRefused, `"mail"`, false},
		"gone":            {"it was deleted meanwhile", kmsg.Produce, kerr.UnknownTopicOrPartition, sink.DestinationNotFound, `"mail"`, false},
		"few replicas":    {"they come back", kmsg.Produce, kerr.NotEnoughReplicas, sink.DeliveryFailing, "NOT_ENOUGH_REPLICAS", false},
		"disk":            {"somebody mends it", kmsg.Produce, kerr.KafkaStorageError, sink.DeliveryFailing, "KAFKA_STORAGE_ERROR", false},
		"unknown":         {"what is not known to last passes", kmsg.Produce, kerr.UnknownServerError, sink.DeliveryFailing, "UNKNOWN_SERVER_ERROR", false},
		"validation":      {"the topic's rules, as of a schema, refuse it alone, too", kmsg.Produce, kerr.InvalidRecord, sink.DeliveryFailing, "rules", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := start(t)
			d.fault(kfake.Fault{Keys: []kmsg.Key{tc.key}, Err: tc.err, Count: -1, TopLevel: tc.key == kmsg.SASLAuthenticate || tc.key == kmsg.SASLHandshake})
			s := d.open(t, basic)
			err := s.Send(t.Context(), sinktest.Batch(0, 2))
			if sink.IsPermanent(err) {
				t.Errorf("the class of one message is that of all: %v", err)
			}
			if failed := sink.FailedOf(err, 2); failed != nil {
				err = failed[0]
			}
			if sink.CauseOf(err) != tc.cause || sink.IsPermanent(err) != tc.final || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Send = %v, want %s and %q: %s", err, tc.cause, tc.want, tc.reason)
			}
			if tc.key != kmsg.Produce {
				if err := s.(sink.Prober).Probe(t.Context()); sink.CauseOf(err) != tc.cause {
					t.Errorf("Probe = %v, want %s: %s", err, tc.cause, tc.reason)
				}
			}
			d.mend(t)
			if err := s.Send(t.Context(), sinktest.Batch(0, 2)); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}
