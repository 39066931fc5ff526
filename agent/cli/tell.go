package cli

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// A teller prints the agent's events as they come: lines for a person, or JSON lines for a program. It is safe for
// concurrent use.
type teller struct {
	c     *console
	rules rulesets
	json  bool

	mu    sync.Mutex
	err   error // the first failure to write; the agent goes on, the command reports it at its end
	stop  func()
	found map[signatures.Verdict]int
}

// A jsonEvent is one line of "run --json".
type jsonEvent struct {
	Event     string         `json:"event"` // ready, found, new, changed, gone, judged, warning, problem
	Time      string         `json:"time"`  // RFC 3339, UTC, milliseconds
	Extension *jsonExtension `json:"extension,omitempty"`
	New       []string       `json:"new,omitempty"` // with warning: rules that were not told before
	Path      string         `json:"path,omitempty"`
	Reason    string         `json:"reason,omitempty"`
	Watching  *jsonWatching  `json:"watching,omitempty"` // with ready
	Ruleset   *jsonRuleset   `json:"ruleset,omitempty"`  // with ready
}

type jsonWatching struct {
	Browsers   int `json:"browsers"`
	Profiles   int `json:"profiles"`
	Extensions int `json:"extensions"`
}

// print prints one event.
func (t *teller) print(e agent.Event) {
	if e.Kind == agent.Swept {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	var err error
	if t.json {
		err = t.line(e)
	} else {
		err = t.c.print(t.text(e)...)
	}
	if err != nil && t.err == nil {
		t.err = err
		t.stop() // nobody reads any more: warnings into nothing are worse than an agent that ends
	}
}

// use takes over other rules.
func (t *teller) use(rules *signatures.Ruleset) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rules = rulesets{rules}
}

// failure is the first failure to write.
func (t *teller) failure() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// line writes an event as one JSON line.
func (t *teller) line(e agent.Event) error {
	out := jsonEvent{Event: string(e.Kind), Time: e.At.UTC().Format("2006-01-02T15:04:05.000Z07:00")}
	switch e.Kind {
	case agent.Ready:
		out.Watching = &jsonWatching{Browsers: e.Browsers, Profiles: e.Profiles, Extensions: e.Extensions}
		out.Ruleset = t.rules.info()
	case agent.Problem:
		out.Path, out.Reason = e.Problem.Path, e.Problem.Reason
	default:
		x := jsonOf(&e.Extension, &e.Result, e.Code)
		out.Extension = &x
		for _, f := range e.New {
			out.New = append(out.New, f.Rule)
		}
	}
	enc := json.NewEncoder(t.c.out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("%w: %w", errOutput, err)
	}
	return nil
}

// text writes an event for a person: a warning in full, everything else in a line.
func (t *teller) text(e agent.Event) []string {
	switch e.Kind {
	case agent.Ready:
		return t.ready(e)
	case agent.Found:
		t.found[e.Result.Verdict]++ // told together when the agent is ready
		return nil
	case agent.Judged:
		return nil // what it adds is a warning
	case agent.Warning:
		res := e.Result
		if len(e.New) > 0 {
			res.Findings = e.New // what was told before is not told again
		}
		lines := writeWarning(t.c, explain(&e.Extension, &res, e.Code, &e.Profile, t.rules, t.c.now()))
		return append(append([]string{""}, lines...), "")
	case agent.Problem:
		return wrap(problem(e.Problem), t.clock(e.At)+"problem  ", strings.Repeat(" ", 10), t.c.width)
	}
	if e.Extension.Origin == manifests.OriginBuiltin && !bad(e.Result.Verdict) {
		return nil // a fresh profile has up to ten of the browser's own
	}
	name := fmt.Sprintf("\"%s\" %s", clean(e.Extension.Name(), maxName), clean(e.Extension.Version(), 20))
	text := fmt.Sprintf("%s %s", strings.TrimSpace(name), where(&e.Extension, &e.Profile, t.c.now()))
	head := t.clock(e.At) + fit(string(e.Kind), 8) + " "
	if e.Kind == agent.Gone {
		return wrap(text, head, strings.Repeat(" ", 10), t.c.width)
	}
	text = fmt.Sprintf("%s: %s", e.Result.Verdict, text)
	if len(e.Result.Reach) > 0 {
		text += "; reaches " + exchanges(e.Result.Reach, 40)
	}
	return wrap(text, head, strings.Repeat(" ", 10), t.c.width)
}

// ready says what is watched and what was found at the start.
func (t *teller) ready(e agent.Event) []string {
	info := t.rules.info()
	lines := []string{fmt.Sprintf("ExtWatch %s: watching %s of %s, with %s and %s", engineVersion,
		count(e.Profiles, "profile"), count(e.Browsers, "browser"), count(info.Rules, "rule"), count(info.Indicators, "indicator"))}
	var parts []string
	for _, v := range verdicts() {
		if n := t.found[v]; n > 0 {
			parts = append(parts, t.c.paint(shadeOf(v), fmt.Sprintf("%d %s", n, v)))
		}
	}
	lines = append(lines, count(e.Extensions, "extension")+" at the start"+optional(": ", strings.Join(parts, ", "))+". Ctrl-C ends.")
	if e.Profiles == 0 {
		lines = append(lines, "No browser profile was found yet; one that appears is watched from then on.")
	}
	return lines
}

// clock is the time of day before a line.
func (t *teller) clock(at time.Time) string { return at.Local().Format("15:04:05") + "  " }
