package console_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// browser is one Chromium for all tests; each has a tab of its own.
var browser struct {
	once   sync.Once
	ctx    context.Context //nolint:containedctx // It is the browser.
	cancel context.CancelFunc
	err    error
}

var errNoChromium = errors.New("there is no chromium: apt-get install chromium")

func TestMain(m *testing.M) {
	code := m.Run()
	if browser.cancel != nil {
		browser.cancel()
	}
	os.Exit(code)
}

// tab opens a tab, or skips the test where there is no Chromium. Continuous integration has one.
func tab(t *testing.T) context.Context {
	t.Helper()
	browser.once.Do(func() {
		path, err := exec.LookPath("chromium")
		if err != nil {
			browser.err = errNoChromium
			return
		}
		options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
		for _, flag := range []string{"disable-quic", "no-first-run", "disable-background-networking", "disable-component-update", "disable-sync"} {
			options = append(options, chromedp.Flag(flag, true))
		}
		allocated, stop := chromedp.NewExecAllocator(context.Background(), options...)
		ctx, cancel := chromedp.NewContext(allocated)
		browser.ctx, browser.cancel = ctx, func() { cancel(); stop() }
		browser.err = chromedp.Do(ctx)
	})
	if errors.Is(browser.err, errNoChromium) && os.Getenv("MAILVANE_REQUIRE_SERVERS") == "" {
		t.Skip(browser.err)
	}
	if browser.err != nil {
		t.Fatal(browser.err)
	}
	ctx, cancel := chromedp.NewContext(browser.ctx, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// opened returns a tab in which the link of a console was opened.
func opened(t *testing.T, s *httptest.Server, link string) context.Context {
	t.Helper()
	ctx := tab(t)
	act(t, ctx, chromedp.EmulateViewport(1280, 800), chromedp.Navigate(s.URL+link), chromedp.WaitVisible("main"))
	return ctx
}

func act(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) { //nolint:revive // The test comes first.
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func get[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T { //nolint:revive // The test comes first.
	t.Helper()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// prefers has the browser prefer a scheme of colours.
func prefers(scheme string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
		return err
	})
}

// shoot takes a picture of the page in both schemes, where somebody asks for them by naming a folder.
func shoot(t *testing.T, ctx context.Context, name string) { //nolint:revive // The test comes first.
	t.Helper()
	folder := os.Getenv("MAILVANE_SCREENSHOTS")
	if folder == "" {
		return
	}
	for _, scheme := range []string{"light", "dark"} {
		act(t, ctx, prefers(scheme))
		picture := get(t, ctx, chromedp.CaptureScreenshot())
		if err := os.WriteFile(filepath.Join(folder, fmt.Sprintf("%s-%s.png", name, scheme)), picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// contrast returns the texts of a page whose colour does not stand out from what is behind it by 4.5 to 1 (WCAG 2.2, 1.4.3).
const contrast = `(() => {
  const channel = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (c) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const lum = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const back = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return rgb(matchMedia("(prefers-color-scheme: dark)").matches ? "#000" : "#fff"); };
  const bad = [];
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].filter((n) => n.nodeType === 3 && n.textContent.trim()).map((n) => n.textContent.trim()).join(" ");
    if (!own || !e.checkVisibility()) continue;
    const a = lum(rgb(getComputedStyle(e).color)), b = lum(back(e));
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) bad.push(own.slice(0, 30) + " " + ratio.toFixed(2));
  }
  return bad;
})()`

// unnamed returns what can be used on a page and has no name for who does not see it.
const unnamed = `[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select")].filter((e) => {
  const label = e.labels && e.labels.length ? e.labels[0].textContent.trim() : "";
  return !(e.textContent.trim() || e.getAttribute("aria-label") || label);
}).map((e) => e.outerHTML.slice(0, 80))`

// wide reports whether a page is wider than its window.
const wide = `document.documentElement.scrollWidth > innerWidth`

// accessible checks contrast, names and width of the page that is open.
func accessible(t *testing.T, ctx context.Context, name string) { //nolint:revive // The test comes first.
	t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		act(t, ctx, prefers(scheme))
		faint, nameless := get(t, ctx, chromedp.Evaluate[[]string](contrast)), get(t, ctx, chromedp.Evaluate[[]string](unnamed))
		if len(faint)+len(nameless) > 0 {
			t.Errorf("%s, %s: too faint: %s; without a name: %s", name, scheme, strings.Join(faint, ", "), strings.Join(nameless, ", "))
		}
	}
	act(t, ctx, chromedp.EmulateViewport(380, 800))
	overflows := get(t, ctx, chromedp.Evaluate[bool](wide))
	act(t, ctx, chromedp.EmulateViewport(1280, 800))
	if overflows {
		t.Errorf("%s is wider than a telephone", name)
	}
}
