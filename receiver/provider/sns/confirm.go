package sns

import (
	"errors"
	"net/url"

	"github.com/mailvane/mailvane/receiver/provider"
	"github.com/mailvane/mailvane/receiver/provider/sns/topic"
	"github.com/mailvane/mailvane/receiver/provider/wire"
)

var errSubscribeURL = errors.New("the SubscribeURL does not confirm a subscription to the topic at a host of the service")

// confirm asks for the call that confirms a subscription.
func (d *decoder) confirm(item wire.Item) error {
	t, listed := d.Topics[item.Text(topicMember)]
	if !listed {
		return errTopic
	}
	address := item.Text(subscribeMember)
	if !d.confirms(&t, address, item.Text(tokenMember)) {
		return errSubscribeURL
	}
	d.batch.Confirm = []provider.Confirmation{{URL: address, Subject: t.ARN, Manual: d.Manual}}
	return nil
}

// confirms reports whether a URL does nothing but confirm a subscription to a topic.
func (e *Endpoint) confirms(t *topic.Topic, address, token string) bool {
	u, ok := plainURL(address)
	if !ok || u.Path != "/" && u.Path != "" || u.Host != e.Service.ConfirmHost(t) {
		return false
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return false
	}
	for name, value := range map[string]string{"Action": "ConfirmSubscription", topicMember: t.ARN, tokenMember: token} {
		if values := query[name]; len(values) != 1 || values[0] != value || value == "" {
			return false
		}
	}
	return true
}
