package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"golang.org/x/text/language"
)

// views are the templates in one language.
type views struct {
	lang  string
	texts map[string]string
	words signatures.Words // of rules and the catalog
	pages map[string]*template.Template
	now   func() time.Time
}

// languages are those with texts, the first one for everybody else.
func languages() []language.Tag {
	return []language.Tag{language.English, language.SimplifiedChinese}
}

// A sheet is what the frame of every page shows.
type sheet struct {
	Lang, Title string
	Nav         string // the entry of the menu
	Viewer      viewer
	Name        string // of the viewer
	Problem     string // what went wrong with what the person did
	Done        string // key of what was done
	Live        bool   // reloads when something happens
	Data        any
}

func loadViews(now func() time.Time) (map[string]*views, error) {
	all := map[string]*views{}
	for _, tag := range languages() {
		v := &views{lang: tag.String(), pages: map[string]*template.Template{}, now: now}
		text, err := fs.ReadFile(embedded, "texts/"+v.lang+".json")
		if err != nil {
			return nil, fmt.Errorf("read the texts of the page: %w", err)
		}
		if err := json.Unmarshal(text, &v.texts); err != nil {
			return nil, fmt.Errorf("read the texts of the page in %s: %w", v.lang, err)
		}
		if v.words, err = signatures.ReadWords(v.lang); err != nil {
			return nil, fmt.Errorf("make the page: %w", err)
		}
		if err := v.parse(); err != nil {
			return nil, fmt.Errorf("make the page in %s: %w", v.lang, err)
		}
		all[v.lang] = v
	}
	return all, nil
}

func (v *views) parse() error {
	base, err := template.New("frame").Funcs(v.funcs()).ParseFS(embedded, "templates/parts/*.html")
	if err != nil {
		return err
	}
	names, err := fs.Glob(embedded, "templates/*.html")
	if err != nil {
		return err
	}
	for _, name := range names {
		t, err := base.Clone()
		if err != nil {
			return err
		}
		if t, err = t.ParseFS(embedded, name); err != nil {
			return err
		}
		v.pages[strings.TrimSuffix(path.Base(name), ".html")] = t
	}
	return nil
}

func (v *views) funcs() template.FuncMap {
	return template.FuncMap{
		"t":         v.text,
		"n":         v.count,
		"say":       v.say,
		"event":     v.event,
		"clip":      clip,
		"when":      v.when,
		"clock":     v.clock,
		"ago":       v.ago,
		"browser":   browserTitle,
		"linked":    linked,
		"able":      func(c string) string { return v.text("able." + c) },
		"join":      strings.Join,
		"problem":   problem,
		"plus":      func(a, b int) int { return a + b },
		"minus":     func(a, b int) int { return a - b },
		"megabytes": func(b int64) string { return fmt.Sprintf("%.1f", float64(b)/(1<<20)) },
	}
}

// text is the text of a key; a key without text is shown, which a test finds.
func (v *views) text(key string, args ...any) string {
	s, ok := v.texts[key]
	if !ok {
		return key
	}
	if len(args) > 0 {
		return fmt.Sprintf(s, args...)
	}
	return s
}

// say is what a rule or the catalog says, in the person's language when there are words for it.
func (v *views) say(english string) string {
	text, _ := v.words.Say(english) // a rule of yesterday's feed is understood in English all the same
	return text
}

// does is what a step of code does.
func (v *views) does(english string) string {
	text, _ := v.marked("code: ", english)
	return text
}

// event is a line of the timeline: what an extension calls itself stays as it is, what a rule says after it does not.
func (v *views) event(text string) string {
	if said, ok := v.marked("event: ", text); ok {
		return said
	}
	for i := 0; i < len(text); i += len(": ") {
		n := strings.Index(text[i:], ": ")
		if n < 0 {
			break
		}
		i += n
		if said, ok := v.words.Say(text[i+len(": "):]); ok {
			return text[:i+len(": ")] + said
		}
	}
	return text
}

// marked says what has words only where it stands: the mark in front of it keeps the names that people see apart from it.
func (v *views) marked(mark, english string) (string, bool) {
	if text, ok := v.words.Say(mark + english); ok && !strings.HasPrefix(text, strings.TrimSuffix(mark, ": ")) {
		return text, true
	}
	return english, false
}

// count is "1 extension", "2 extensions".
func (v *views) count(key string, n int) string {
	if n == 1 {
		key += ".one"
	}
	return v.text(key, n)
}

func (v *views) when(t time.Time) string {
	if t.IsZero() {
		return v.text("never")
	}
	return t.In(v.now().Location()).Format(v.text("time.format"))
}

// clock is the time of day.
func (v *views) clock(t time.Time) string { return t.In(v.now().Location()).Format("15:04") }

// day is a day as a heading.
func (v *views) day(t time.Time) string {
	t = t.In(v.now().Location())
	return v.text("day.week."+strconv.Itoa(int(t.Weekday())), t.Format(v.text("day.format")))
}

func (v *views) ago(t time.Time) string {
	d := v.now().Sub(t)
	switch {
	case t.IsZero():
		return v.text("never")
	case d < time.Minute:
		return v.text("ago.now")
	case d < time.Hour:
		return v.count("ago.minutes", int(d/time.Minute))
	case d < 24*time.Hour:
		return v.count("ago.hours", int(d/time.Hour))
	case d < 14*24*time.Hour:
		return v.count("ago.days", int(d/(24*time.Hour)))
	}
	return v.when(t)
}

// browserTitle is the name under which people know a browser.
func browserTitle(slug string) string {
	switch slug {
	case "chrome":
		return "Google Chrome"
	case "edge":
		return "Microsoft Edge"
	case "firefox":
		return "Mozilla Firefox"
	case "":
		return ""
	}
	return strings.ToUpper(slug[:1]) + slug[1:]
}

func problem(p manifests.Problem) string {
	where := strings.TrimSpace(p.Path + " " + p.File)
	if where != "" {
		where += ": "
	}
	return where + p.Reason
}

// A span is a piece of text, or a link.
type span struct{ Text, Link string }

// linked splits a text where it has links, which a person can then follow. A step's link leads to the exchange itself.
func linked(s string) []span {
	var out []span
	for s != "" {
		i := strings.Index(s, "https://")
		if i < 0 {
			break
		}
		end := i + len(s[i:])
		if j := strings.IndexFunc(s[i:], func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("<>\"'", r) }); j >= 0 {
			end = i + j
		}
		link := strings.TrimRight(s[i:end], ".,;:!?)")
		if i > 0 {
			out = append(out, span{Text: s[:i]})
		}
		u, err := url.Parse(link)
		if err != nil || u.Host == "" || u.User != nil {
			out = append(out, span{Text: link})
		} else {
			out = append(out, span{Text: strings.TrimSuffix(u.Host+u.Path, "/"), Link: u.String()})
		}
		s = s[i+len(link):]
	}
	if s != "" {
		out = append(out, span{Text: s})
	}
	return out
}

// language is what the person reads, by their browser.
func (p *Page) language(r *http.Request) *views {
	_, i := language.MatchStrings(language.NewMatcher(languages()), r.Header.Get("Accept-Language"))
	return p.views[languages()[i].String()]
}

// show writes a view.
func (p *Page) show(w http.ResponseWriter, r *http.Request, status int, name string, s sheet) {
	v := p.language(r)
	s.Lang = v.lang
	if s.Name = p.cfg.Users[s.Viewer.User]; s.Name == "" {
		s.Name = s.Viewer.User
	}
	var b bytes.Buffer
	if err := v.pages[name].ExecuteTemplate(&b, "frame", s); err != nil {
		p.cfg.Log.ErrorContext(r.Context(), "make a view", "view", name, "error", err)
		http.Error(w, v.text("refused.failed"), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Vary", "Accept-Language")
	w.WriteHeader(status)
	_, _ = w.Write(cleaned(b.Bytes())) // the person went away
}

// refuse says why there is nothing to see.
func (p *Page) refuse(w http.ResponseWriter, r *http.Request, status int, key string) {
	p.show(w, r, status, "refused", sheet{Title: "refused.title", Data: key})
}

// fail tells the person that the store could not be read, and the log why.
func (p *Page) fail(w http.ResponseWriter, r *http.Request, err error) {
	p.cfg.Log.ErrorContext(r.Context(), "answer a request", "path", r.URL.Path, "error", err)
	p.refuse(w, r, http.StatusInternalServerError, "refused.failed")
}

// bad reports whether a verdict is one that a person must act on.
func bad(v signatures.Verdict) bool { return v.Worse(signatures.Unreadable) }
