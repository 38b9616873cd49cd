package intake

import "time"

// Every bound of the intake, with its reason.
const (
	// MaxHeaderBytes bounds a request's header block. The largest legitimate one seen is a signed MailChannels request, under 4 KiB.
	MaxHeaderBytes = 32 << 10
	// ReadHeaderTimeout bounds how long a client may take to send its headers.
	ReadHeaderTimeout = 10 * time.Second
	// ReadTimeout bounds headers and body of a request until its body is read, which then has deadlines of its own, or refused.
	ReadTimeout = ReadHeaderTimeout + firstByteTimeout
	// IdleTimeout is how long a connection is kept without a request; longer than the providers' pauses between events.
	IdleTimeout = 2 * time.Minute
	// WriteTimeout bounds the whole exchange of one request, body and durable storage included; one whose body took longer has
	// answerTimeout from its last byte instead.
	WriteTimeout = 3 * time.Minute
	// DefaultInFlightBytes bounds the memory for bodies that are being handled.
	DefaultInFlightBytes = 64 << 20

	// firstByteTimeout is how long a client may take to begin with its body, and, where the body is refused, to end it.
	firstByteTimeout = 5 * time.Second

	// progressTime and progressBytes are the slowest pace of a body, 64 KiB/s: in each progressTime so many more bytes arrive, or
	// its end does. A client that sends slower is cut.
	progressTime  = 10 * time.Second
	progressBytes = 640 << 10

	// answerTimeout is the time from the end of a slow body until its answer is written.
	answerTimeout = time.Minute

	// endpointShareDivisor is the part of the in-flight bytes that one endpoint may hold: 1/2, so that a flood at one
	// endpoint leaves room for the others.
	endpointShareDivisor = 2

	// clientShareDivisor is the part that the bodies of one client may hold while they arrive, where trusted proxies tell clients
	// apart: 1/4.
	clientShareDivisor = 4

	// laneDivisor is the part of every share that is kept for small requests, 1/8: large bodies, which are rare and which anybody
	// can begin to send, never keep the small ones out.
	laneDivisor = 8

	// smallBytes is how long the body of a small request may be: 99 of 100 webhooks are shorter than 64 KiB.
	smallBytes = 64 << 10

	// copiesOfSmall is how often what a small request brought may be held once it is there: as the body, decoded and encoded.
	copiesOfSmall = 4

	// firstChunk is the memory that a body is given before anything of it has arrived. It is not counted, but bounded by the number
	// of connections, each of which has as much for its headers.
	firstChunk = 4 << 10

	// maxKeptBytes bounds each of the two buffers that a request leaves to later ones: a batch of some 50 events.
	maxKeptBytes = 64 << 10

	// Retry-After values, in seconds.
	retryAfterBusy   = 5
	retryAfterFull   = 30
	retryAfterPaused = 60
)
