package record

import "time"

const (
	// sampleWindow is the time in which sampleSize refusals of one endpoint are kept.
	sampleWindow = time.Minute
	sampleSize   = 10
)

// sampler chooses which refusals are kept, so that who sends many fills no history.
type sampler struct{ endpoints map[string]*sample }

type sample struct {
	began time.Time
	taken int
	more  int
}

func newSampler() sampler { return sampler{endpoints: map[string]*sample{}} }

// take reports whether a refusal of an endpoint at a time is kept, for which there has to be room, and how many before it were not.
func (s *sampler) take(endpoint string, at time.Time, room bool) (more int, kept bool) {
	e := s.endpoints[endpoint]
	if e == nil {
		e = &sample{began: at}
		s.endpoints[endpoint] = e
	}
	if passed := at.Sub(e.began); passed >= sampleWindow || passed < 0 {
		e.began, e.taken = at, 0
	}
	if e.taken == sampleSize || !room {
		e.more++
		return 0, false
	}
	e.taken++
	more, e.more = e.more, 0
	return more, true
}
