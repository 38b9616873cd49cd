// Package console is the web page of receivers: what fails, what happened to a mail, and what can be done about it. Pages are made here and work
// without scripts; what they show is asked of receivers through package inspect, as the commands do, with the rights of the token that they are asked
// with: receivers mask what it does not show.
package console

import (
	"context"
	"embed"
	"html/template"
	"io/fs"
	"net/http"
	"time"

	"github.com/mailvane/mailvane/internal/inspect"
)

// pageLimit is how many events a page has.
const pageLimit = 100

// askTimeout bounds what receivers are asked for one page.
const askTimeout = 20 * time.Second

// Options are what a Console needs.
type Options struct {
	// Receivers returns those to ask. An error says which are missing; the others are asked.
	Receivers func(ctx context.Context) ([]*inspect.Receiver, error)
	// Where says in a word what is looked at, such as the namespace of a cluster.
	Where string
	// Now is the clock of relative times.
	Now func() time.Time
}

// Console serves the pages to whoever has opened its link.
type Console struct {
	options   Options
	session   *session
	templates map[string]*template.Template
	handler   http.Handler
}

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed assets
var assetFiles embed.FS

// New returns a console that nobody has opened.
func New(o Options) (*Console, error) {
	c := &Console{options: o, session: newSession()}
	var err error
	if c.templates, err = c.parse(); err != nil {
		return nil, err
	}
	assets, err := fs.Sub(assetFiles, "assets")
	if err != nil {
		return nil, err
	}
	inside := http.NewServeMux()
	for pattern, page := range map[string]page{
		"GET /{$}": c.overview, "GET /events": c.events, "GET /event": c.event, "GET /message": c.message, "GET /refused": c.refused, "GET /deadletters": c.deadLetters,
	} {
		inside.Handle(pattern, c.rendered(page))
	}
	inside.HandleFunc("POST /deadletters", c.actOnDeadLetters)
	inside.HandleFunc("GET /live", c.live)
	inside.HandleFunc("/", c.notFound)
	outside := http.NewServeMux()
	outside.HandleFunc("GET "+loginPath, c.session.login)
	outside.Handle("GET /assets/", http.StripPrefix("/assets/", http.FileServerFS(assets)))
	outside.Handle("/", c.session.require(inside))
	c.handler = guarded(outside)
	return c, nil
}

// Link returns the path of the page's link, which opens it once.
func (c *Console) Link() string { return c.session.link() }

// ServeHTTP serves a request of a browser.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { c.handler.ServeHTTP(w, r) }

// view is what every page has.
type view struct {
	// Title names the page, and Tab the entry of the menu that it belongs to.
	Title, Tab string
	Where      string
	// Missing says which receivers did not answer.
	Missing string
	// Token goes with every form.
	Token string
	// Page is the page's own.
	Page any
}

// page returns a template's name and what it shows. What receivers do not say is an error beside what others said.
type page func(ctx context.Context, r *http.Request) (shown, error)

// shown is a page that is to be rendered.
type shown struct {
	template, title, tab string
	status               int // 0 = 200
	content              any
}

func (c *Console) rendered(p page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), askTimeout)
		defer cancel()
		s, err := p(ctx, r)
		c.render(w, s, err)
	})
}

func (c *Console) notFound(w http.ResponseWriter, _ *http.Request) {
	c.render(w, shown{template: "error.html", title: "Not found", status: http.StatusNotFound, content: "There is no such page."}, nil)
}
