package kafkasink

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kversion"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/aws"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/mailvane/mailvane/receiver/sink/kafkasink/settings"
)

const (
	// connectTimeout bounds a connection, with TLS.
	connectTimeout = 10 * time.Second
	// answerTimeout is how long brokers may wait for replicas. A connection on which there is no answer for requestOverhead more is closed.
	answerTimeout   = 15 * time.Second
	requestOverhead = 10 * time.Second
	// questionTimeout bounds a question and its repetition, of which there are questionRetries.
	questionTimeout = 10 * time.Second
	questionRetries = 2
	// recordRetries is how often a record is sent again that brokers refuse for the moment, before whoever sent it is told.
	recordRetries = 5
	topicRetries  = 2
	// metadataAge is how long it is believed who leads which partition, unless something fails. Azure closes connections that are idle for
	// four minutes.
	metadataAge    = 3 * time.Minute
	minMetadataAge = 500 * time.Millisecond
	// batchOverhead is what a request has beside one batch.
	batchOverhead = 2 << 10
)

// clientOptions are those of every client.
func clientOptions(p *settings.Parsed, dialer *net.Dialer) ([]kgo.Opt, error) {
	options := []kgo.Opt{
		kgo.ClientID("mailvane"), kgo.SeedBrokers(p.Brokers...), kgo.Dialer(dial(dialer, p.TLS)), kgo.DisableClientMetrics(),
		kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerBatchCompression(codec(p.Compression)), kgo.ProducerLinger(0),
		kgo.ProducerBatchMaxBytes(p.MaxRequestBytes - batchOverhead), kgo.BrokerMaxWriteBytes(p.MaxRequestBytes),
		kgo.MaxBufferedRecords(maxBuffered), kgo.RecordRetries(recordRetries), kgo.UnknownTopicRetries(topicRetries),
		kgo.ProduceRequestTimeout(answerTimeout), kgo.RequestTimeoutOverhead(requestOverhead),
		kgo.RequestRetries(questionRetries), kgo.RetryTimeout(questionTimeout),
		kgo.MetadataMaxAge(metadataAge), kgo.MetadataMinAge(minMetadataAge),
	}
	if !p.Idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	if p.ProtocolVersion != "" {
		versions := kversion.FromString(p.ProtocolVersion)
		if versions == nil {
			return nil, fmt.Errorf("protocolVersion %s is none that is known; %s is the newest", p.ProtocolVersion, kversion.Stable().VersionGuess())
		}
		options = append(options, kgo.MaxVersions(versions))
	}
	if m := mechanism(p, dialer); m != nil {
		options = append(options, kgo.SASL(m))
	}
	return options, nil
}

func codec(c settings.Compression) kgo.CompressionCodec {
	switch c {
	case settings.CompressionGzip:
		return kgo.GzipCompression()
	case settings.CompressionSnappy:
		return kgo.SnappyCompression()
	case settings.CompressionLZ4:
		return kgo.Lz4Compression()
	case settings.CompressionZstd:
		return kgo.ZstdCompression()
	case settings.CompressionNone:
	}
	return kgo.NoCompression()
}

// mechanism is how the sink shows who it is, or nil.
func mechanism(p *settings.Parsed, dialer *net.Dialer) sasl.Mechanism {
	switch a := &p.Authentication; {
	case a.Plain != nil:
		return plain.Auth{User: a.Plain.Username, Pass: a.Plain.Password}.AsMechanism()
	case a.ScramSHA256 != nil:
		return scram.Auth{User: a.ScramSHA256.Username, Pass: a.ScramSHA256.Password}.AsSha256Mechanism()
	case a.ScramSHA512 != nil:
		return scram.Auth{User: a.ScramSHA512.Username, Pass: a.ScramSHA512.Password}.AsSha512Mechanism()
	case a.OAuth != nil:
		return oauth.Oauth(newTokens(a.OAuth, p.TokenTLS, dialer).auth)
	case a.AWSIAM != nil:
		return aws.Auth{
			AccessKey: a.AWSIAM.AccessKeyID, SecretKey: a.AWSIAM.SecretAccessKey, SessionToken: a.AWSIAM.SessionToken, UserAgent: "mailvane",
		}.AsManagedStreamingIAMMechanism()
	}
	return nil
}

// dial returns what makes connections: a client with a dialer of its own leaves TLS to that.
func dial(dialer *net.Dialer, config *tls.Config) func(ctx context.Context, network, address string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithTimeout(ctx, connectTimeout)
		defer cancel()
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil || config == nil {
			return conn, err
		}
		config := config.Clone()
		if config.ServerName == "" {
			config.ServerName, _, _ = net.SplitHostPort(address) // it was connected to
		}
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			_ = conn.Close() // the handshake's error says more
			return nil, fmt.Errorf("TLS with %s: %w", address, err)
		}
		return secure, nil
	}
}
