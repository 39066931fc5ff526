package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// An item is an extension as the views show it.
type item struct {
	store.Extension
	Href    string // of its own view
	Decided string // "block", "trust" or "snooze" while such a decision holds
	Also    []item // the same one in other profiles, on a card
}

// Verdict is what is thought of it.
func (i item) Verdict() signatures.Verdict { return cmp.Or(i.Result.Verdict, signatures.Unreadable) }

// Label is its name; one without a name has its ID.
func (i item) Label() string { return clip(90, cmp.Or(strings.TrimSpace(i.Name), i.ID, i.Path, "?")) }

// Mixed reports whether a word of the name is written in letters of several alphabets that look alike, as in a name that
// wants to be taken for another.
func (i item) Mixed() bool {
	return slices.ContainsFunc(strings.FieldsFunc(i.Label(), func(r rune) bool { return !unicode.IsLetter(r) }), func(word string) bool {
		n := 0
		for _, alphabet := range []*unicode.RangeTable{unicode.Latin, unicode.Cyrillic, unicode.Greek, unicode.Armenian, unicode.Cherokee} {
			if strings.ContainsFunc(word, func(r rune) bool { return unicode.Is(alphabet, r) }) {
				n++
			}
		}
		return n > 1
	})
}

// Where is "Google Chrome · Work".
func (i item) Where() string {
	parts := []string{}
	for _, s := range []string{browserTitle(i.Browser), cmp.Or(i.Title, i.Profile)} {
		if s != "" {
			parts = append(parts, clip(60, s))
		}
	}
	return strings.Join(parts, " · ")
}

// State is the key of whether it acts now.
func (i item) State() string {
	switch {
	case !i.Gone.IsZero():
		return "state.gone"
	case i.Browser == "":
		return "state.file"
	case !i.Enabled:
		return "state.off"
	}
	return "state.on"
}

// Worst is its worst open finding; nil when there is none.
func (i item) Worst() *store.Finding {
	if list := i.open(); len(list) > 0 {
		return &list[0]
	}
	return nil
}

// same reports whether two items are one extension in two profiles. What lies in a folder can claim any ID.
func (i item) same(other item) bool {
	return i.ID == other.ID && i.ID != "" && i.Place == other.Place && i.Origin == other.Origin && i.Verdict() == other.Verdict() && i.State() == other.State()
}

// open are its open findings, worst first.
func (i item) open() []store.Finding {
	var out []store.Finding
	for _, f := range i.Findings {
		if f.Closed.IsZero() {
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b store.Finding) int {
		return cmp.Or(worseFirst(a.Verdict, b.Verdict), cmp.Compare(grave(b.Level), grave(a.Level)), cmp.Compare(a.Rule, b.Rule))
	})
	return out
}

// NeedsYou reports whether somebody should look at it: it is bad, acts or may act again, and nobody
// decided; to put it off is no decision.
func (i item) NeedsYou() bool {
	return bad(i.Verdict()) && i.Gone.IsZero() && (i.Decided == "" || i.Decided == "snooze")
}

// known is the extension as far as the store has it, for the advice.
func (i item) known() *manifests.Extension {
	e := &manifests.Extension{
		Browser: i.Browser, Channel: i.Channel, User: i.User, Profile: i.Profile, ID: i.ID, Path: i.Path,
		Origin: i.Origin, Enabled: i.Enabled,
	}
	if len(i.Versions) > 0 {
		e.Manifest = i.Versions[0].Manifest
	}
	return e
}

// Organisation is what the organisation decided of it; nil when it did not, or not any more.
func (i item) Organisation() *ruled {
	d := i.Result.Decision
	if d == nil {
		return nil
	}
	return &ruled{Decision: d, Until: d.LastDay(), Aside: i.Result.SetAside}
}

// A ruled is a decision of the organisation as a person reads it.
type ruled struct {
	*signatures.Decision
	Until string // the last day on which it counts; "": it does not end
	Aside []signatures.Finding
}

// By is who decided, as at the beginning of a sentence; "" when it gave no name.
func (r *ruled) By() string {
	if r.Decision.By == signatures.Organisation {
		return ""
	}
	first, n := utf8.DecodeRuneInString(r.Decision.By)
	return clip(90, string(unicode.ToUpper(first))+r.Decision.By[n:])
}

// grave orders the levels of rules.
func grave(level string) int {
	return slices.Index([]string{"informational", "low", "medium", "high", "critical"}, level)
}

func worseFirst(a, b signatures.Verdict) int {
	switch {
	case a == b:
		return 0
	case a.Worse(b):
		return -1
	}
	return 1
}

// items are the extensions that a query gives, worst first, with what was decided about them.
func (s *scope) items(ctx context.Context, q store.Query) ([]item, error) {
	list, err := s.extensions(ctx, q)
	if err != nil {
		return nil, err
	}
	decided, err := s.page.cfg.Store.Decisions(ctx, "", false)
	if err != nil {
		return nil, err
	}
	out := make([]item, len(list))
	for n := range list {
		out[n] = item{Extension: list[n], Href: fmt.Sprintf("/extensions/%d", list[n].Row), Decided: standing(decided, &list[n])}
	}
	slices.SortStableFunc(out, func(a, b item) int {
		return cmp.Or(worseFirst(a.Verdict(), b.Verdict()), cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Row, b.Row))
	})
	return out, nil
}

// standing is what holds of an extension: that it is blocked, trusted as bad as it is now, or put off.
func standing(decided []store.Decision, e *store.Extension) string {
	trusted := ""
	for n := range decided {
		d := &decided[n]
		switch {
		case !concerns(d, e):
		case d.Kind == "block":
			return "block"
		case d.Kind == "trust" && d.Rule == "" && !e.Result.Verdict.Worse(d.UpTo):
			trusted = "trust"
		case d.Kind == "snooze" && trusted == "" && !e.Result.Verdict.Worse(d.UpTo):
			trusted = "snooze"
		}
	}
	return trusted
}
