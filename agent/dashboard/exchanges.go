package dashboard

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/signatures"
)

// maxRows bounds the matrix: the worst come first.
const maxRows = 200

// general is the slug of what to do on an exchange that the catalog does not know.
const general = "other"

// A cell is what an extension may do on an exchange.
type cell struct {
	Depth        int // 0 nothing, 1 sees, 2 changes, 3 acts as the person
	Capabilities []string
}

type matrixRow struct {
	Item  item
	Cells []cell
}

type matrixColumn struct {
	signatures.Exchange
	Able, Bad int // extensions that reach it, and those of them that are suspicious or worse
}

type matrixData struct {
	Columns []matrixColumn
	Rows    []matrixRow
	More    int
}

// depth says how much harm a capability does by itself.
func depth(capability string) int {
	switch capability {
	case "session.read", "api_keys.page", "withdrawal.page":
		return 3
	case "page.change", "request.change", "traffic.proxy", "clipboard.write":
		return 2
	}
	return 1
}

// matrix shows who can touch what.
func (p *Page) matrix(w http.ResponseWriter, r *http.Request, s *scope) {
	list, err := s.items(r.Context(), store.Query{})
	if err != nil {
		p.fail(w, r, err)
		return
	}
	exchanges, _ := p.rules().Exchanges()
	d := matrixData{Columns: make([]matrixColumn, len(exchanges))}
	for i, e := range exchanges {
		d.Columns[i].Exchange = e
	}
	for n := range list {
		if !list[n].Enabled || len(list[n].Result.Reach) == 0 {
			continue
		}
		row := matrixRow{Item: list[n], Cells: make([]cell, len(exchanges))}
		for _, reach := range list[n].Result.Reach {
			i := slices.IndexFunc(exchanges, func(e signatures.Exchange) bool { return e.Slug == reach.Exchange })
			if i < 0 {
				continue
			}
			c := cell{Capabilities: reach.Capabilities}
			for _, a := range reach.Capabilities {
				c.Depth = max(c.Depth, depth(a))
			}
			row.Cells[i] = c
			d.Columns[i].Able++
			if bad(list[n].Verdict()) {
				d.Columns[i].Bad++
			}
		}
		if len(d.Rows) == maxRows {
			d.More++
			continue
		}
		d.Rows = append(d.Rows, row)
	}
	p.show(w, r, http.StatusOK, "exchanges", sheet{Title: "nav.exchanges", Nav: "exchanges", Viewer: s.viewer, Live: true, Data: d})
}

// A step is one thing to do, with its tick box.
type step struct {
	Key  string // of the tick: of the text, so that a step that was rewritten is not taken for done
	Text string
	Done time.Time
}

type todoData struct {
	signatures.Exchange
	Steps   []step
	Left    int
	Able    []item // extensions that reach it and are suspicious or worse
	Others  []signatures.Exchange
	General bool
}

// exchange finds one in the catalog, and returns all that it knows.
func (p *Page) exchange(slug string) (one signatures.Exchange, all []signatures.Exchange, ok bool) {
	all, response := p.rules().Exchanges()
	if slug == general {
		return signatures.Exchange{Slug: general, Response: response}, all, true
	}
	i := slices.IndexFunc(all, func(e signatures.Exchange) bool { return e.Slug == slug })
	if i < 0 {
		return signatures.Exchange{}, nil, false
	}
	return all[i], all, true
}

func stepKey(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// todo shows what to do now on one exchange.
func (p *Page) todo(w http.ResponseWriter, r *http.Request, s *scope) {
	e, others, ok := p.exchange(r.PathValue("slug"))
	if !ok {
		p.missing(w, r, s)
		return
	}
	done, err := s.ticks(r.Context(), e.Slug)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	list, err := s.items(r.Context(), store.Query{})
	if err != nil {
		p.fail(w, r, err)
		return
	}
	d := todoData{Exchange: e, Others: others, General: e.Slug == general}
	d.Able = filtered(list, func(i *item) bool {
		return bad(i.Verdict()) && (d.General || slices.ContainsFunc(i.Result.Reach, func(r signatures.Reach) bool { return r.Exchange == e.Slug }))
	})
	for _, text := range e.Response.User {
		st := step{Key: stepKey(text), Text: text}
		if st.Done = done[st.Key]; st.Done.IsZero() {
			d.Left++
		}
		d.Steps = append(d.Steps, st)
	}
	p.show(w, r, http.StatusOK, "todo", sheet{Title: "todo.title", Nav: "exchanges", Viewer: s.viewer, Data: d})
}

// tick remembers which steps are done: those that the form names, and no other.
func (p *Page) tick(w http.ResponseWriter, r *http.Request, s *scope) {
	e, _, ok := p.exchange(r.PathValue("slug"))
	if !ok {
		p.missing(w, r, s)
		return
	}
	if err := r.ParseForm(); err != nil {
		p.refuse(w, r, http.StatusBadRequest, "refused.form")
		return
	}
	before, err := s.ticks(r.Context(), e.Slug)
	if err != nil {
		p.fail(w, r, err)
		return
	}
	for _, text := range e.Response.User {
		key := stepKey(text)
		done := slices.Contains(r.PostForm["done"], key)
		if done == !before[key].IsZero() {
			continue
		}
		if err := s.tick(r.Context(), e.Slug, key, done); err != nil {
			p.fail(w, r, err)
			return
		}
	}
	http.Redirect(w, r, "/exchanges/"+e.Slug, http.StatusSeeOther)
}
