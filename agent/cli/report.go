package cli

import (
	"cmp"
	"slices"
	"time"

	"github.com/extwatch/extwatch/agent/browsers"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
	"github.com/extwatch/extwatch/signatures/behavior"
)

// A report is what a scan found, in the order in which it is shown.
type report struct {
	judged     bool // false: only listed, so that nothing is said about verdicts
	explain    bool // tell all about what needs attention, with the code
	rules      rulesets
	extensions []judged
	problems   []manifests.Problem // of places, not of extensions
	profiles   int                 // looked into; 0 when paths were given
	seconds    float64
}

// A judged is one extension with what is thought of it.
type judged struct {
	ext     manifests.Extension
	result  signatures.Result
	code    *behavior.Report  // nil: not analysed
	profile *browsers.Profile // nil for a path
	under   string            // the path that it was found under; "" for a profile
}

// sort puts the extensions in the stable order of all formats: browser, user, profile, verdict, name.
func (r *report) sort() {
	slices.SortStableFunc(r.extensions, func(a, b judged) int {
		return cmp.Or(
			cmp.Compare(a.under, b.under),
			cmp.Compare(a.ext.Browser, b.ext.Browser),
			cmp.Compare(a.ext.Channel, b.ext.Channel),
			cmp.Compare(a.ext.User, b.ext.User),
			cmp.Compare(a.ext.Profile, b.ext.Profile),
			worseFirst(a.result.Verdict, b.result.Verdict),
			cmp.Compare(a.ext.Name(), b.ext.Name()),
			cmp.Compare(a.ext.ID, b.ext.ID),
			cmp.Compare(a.ext.Path, b.ext.Path),
		)
	})
	slices.SortStableFunc(r.problems, func(a, b manifests.Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.File, b.File), cmp.Compare(a.Reason, b.Reason))
	})
	r.problems = slices.Compact(r.problems)
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

// problemsOf lists what was odd about an extension, each thing once: its reader and its judge may have met the same file.
func problemsOf(e *manifests.Extension, res *signatures.Result) []manifests.Problem {
	all := make([]manifests.Problem, 0, len(e.Problems)+len(res.Problems))
	seen := make(map[manifests.Problem]bool, cap(all))
	lists := [][]manifests.Problem{e.Problems, res.Problems}
	if e.Manifest != nil {
		lists = append(lists, e.Manifest.Problems)
	}
	for _, list := range lists {
		for _, p := range list {
			if !seen[p] {
				seen[p] = true
				all = append(all, p)
			}
		}
	}
	return all
}

// bad reports whether a verdict is one that a person must act on.
func bad(v signatures.Verdict) bool {
	return v == signatures.Malicious || v == signatures.Suspicious
}

// err is errFindings when a person must act.
func (r *report) err() error {
	if slices.ContainsFunc(r.extensions, func(j judged) bool { return bad(j.result.Verdict) }) {
		return errFindings
	}
	// Nothing seen because nothing could be read is not "clean".
	if len(r.extensions) == 0 && r.profiles == 0 && len(r.problems) > 0 {
		return failed("run it as a user who may read the places above, for example with sudo", "nothing could be read")
	}
	return nil
}

// verdicts are all verdicts, in the order of a summary.
func verdicts() []signatures.Verdict {
	return []signatures.Verdict{signatures.Malicious, signatures.Suspicious, signatures.Unreadable, signatures.Capable, signatures.Clean}
}

// counts tells how many extensions have each verdict.
func (r *report) counts() map[signatures.Verdict]int {
	n := map[signatures.Verdict]int{}
	for _, j := range r.extensions {
		n[j.result.Verdict]++
	}
	return n
}

// since gives seconds with the two decimals that a person or a diff can use.
func since(start, end time.Time) float64 {
	return float64(end.Sub(start).Round(10*time.Millisecond)) / float64(time.Second)
}

// state is one word for whether the extension acts now.
func state(e *manifests.Extension) string {
	switch {
	case e.Browser == "":
		return "-" // a file or folder that no browser has
	case e.Pending:
		return "pending"
	case !e.Enabled:
		return "disabled"
	case e.Withheld:
		return "on click"
	}
	return "enabled"
}
