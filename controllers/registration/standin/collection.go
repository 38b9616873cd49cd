package standin

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// Collection is an account at a provider that has webhooks under a path, each under its id. Its functions say what the provider's documents do.
type Collection struct {
	*StandIn
	// Path is where the webhooks are, and ListPath where their list is, unless that is the same.
	Path, ListPath string
	// Method is that of a change.
	Method string
	// List returns the answer with all webhooks, Made that to a webhook that was made, and One that to a question about one.
	List func(all []Hook) any
	Made func(h *Hook) any
	One  func(h *Hook) any
	// Read takes what a request says of a webhook, and returns the words of a refusal.
	Read func(body []byte, h *Hook) (refusal string)
	// Key returns the key of the webhook with an id; nil = it has none.
	Key func(id string) string
	// AlwaysOn says that a webhook that is there posts.
	AlwaysOn bool
	// More answers what is not about a webhook; nil = nothing is.
	More func(w http.ResponseWriter, r *http.Request, body []byte) bool

	hooks []Hook
	made  int
}

// NewCollection returns a collection that has nothing, of a provider that takes a key in a header and refuses in a form of its own.
func NewCollection(c *Collection, header, value string, refusal func(status int, words string) any) *Collection {
	c.StandIn = &StandIn{
		Authorized: func(r *http.Request) bool { return r.Header.Get(header) == value },
		Refuse:     func(w http.ResponseWriter, status int, words string) { WriteJSON(w, status, refusal(status, words)) },
		Serve:      c.serve,
	}
	if c.ListPath == "" {
		c.ListPath = c.Path
	}
	return c
}

// Message is the form of a refusal that most providers use.
func Message(_ int, words string) any { return map[string]string{"message": words} }

// Server returns what answers.
func (c *Collection) Server() *StandIn { return c.StandIn }

// Hooks returns the webhooks.
func (c *Collection) Hooks() []Hook { return c.hooks }

// Put makes a webhook.
func (c *Collection) Put(h Hook) { c.add(h) }

func (c *Collection) add(h Hook) *Hook {
	c.made++
	h.ID = strconv.Itoa(1000 + c.made)
	h.Disabled = h.Disabled && !c.AlwaysOn
	if c.Key != nil {
		h.Key = c.Key(h.ID)
	}
	c.hooks = append(c.hooks, h)
	return &c.hooks[len(c.hooks)-1]
}

func (c *Collection) serve(w http.ResponseWriter, r *http.Request, body []byte) {
	id, isOne := strings.CutPrefix(r.URL.Path, c.Path+"/")
	switch {
	case c.More != nil && c.More(w, r, body):
	case r.Method == http.MethodGet && r.URL.Path == c.ListPath:
		WriteJSON(w, http.StatusOK, c.List(c.hooks))
	case r.Method == http.MethodPost && r.URL.Path == c.Path:
		var h Hook
		if refusal := c.Read(body, &h); refusal != "" {
			c.Refuse(w, http.StatusBadRequest, refusal)
			return
		}
		WriteJSON(w, http.StatusCreated, c.Made(c.add(h)))
	case isOne:
		c.one(w, r, id, body)
	default:
		c.Refuse(w, http.StatusNotFound, "no such page")
	}
}

func (c *Collection) one(w http.ResponseWriter, r *http.Request, id string, body []byte) {
	for i := range c.hooks {
		h := &c.hooks[i]
		if h.ID != id {
			continue
		}
		switch {
		case r.Method == http.MethodGet && c.One != nil:
			WriteJSON(w, http.StatusOK, c.One(h))
		case r.Method == c.Method:
			changed := *h
			if refusal := c.Read(body, &changed); refusal != "" {
				c.Refuse(w, http.StatusBadRequest, refusal)
				return
			}
			*h = changed
			WriteJSON(w, http.StatusOK, map[string]any{})
		case r.Method == http.MethodDelete:
			c.hooks = append(c.hooks[:i:i], c.hooks[i+1:]...)
			w.WriteHeader(http.StatusNoContent)
		default:
			c.Refuse(w, http.StatusMethodNotAllowed, "no such method")
		}
		return
	}
	c.Refuse(w, http.StatusNotFound, "no such webhook")
}

// Decode takes the JSON of a request, and returns the words of a refusal.
func Decode(body []byte, into any) string {
	if err := json.Unmarshal(body, into); err != nil {
		return "that is no JSON"
	}
	return ""
}

// Number returns an id as a number.
func Number(id string) int64 {
	n, _ := strconv.ParseInt(id, 10, 64)
	return n
}
