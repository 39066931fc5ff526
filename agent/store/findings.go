package store

import (
	"database/sql"
	"fmt"
	"strconv"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// A Finding is a finding in one extension of one profile, as it is kept.
type Finding struct {
	signatures.Finding
	ID        int64  // for Telling and Told
	Extension int64  // Extension.Row
	User      string // whose profile it is
	// Key names this finding for ever, also to receivers: what has the same key is the same.
	Key     string
	Again   bool // it may have been shown: show it in the place of that one
	Ruleset int
	Opened  time.Time
	Closed  time.Time // zero: it is open
	Told    time.Time // when it was first told to anyone; zero: not yet
}

// openFinding is a row of this stay of an extension.
type openFinding struct {
	id             int64
	worst, verdict signatures.Verdict
	closed         int64
	seen           bool
}

// recordFindings opens what is new or worse, and closes what is there no more once all has been looked at.
func recordFindings(x *tx, o *Observation, was *row, now int64) error {
	had := map[string]*openFinding{} // the worst of each rule
	var all []*openFinding
	err := x.each("SELECT id, rule, worst, verdict, closed FROM findings WHERE extension = ? AND episode = ?",
		[]any{was.id, was.episode}, func(rows *sql.Rows) error {
			var f openFinding
			var rule string
			if err := rows.Scan(&f.id, &rule, &f.worst, &f.verdict, &f.closed); err != nil {
				return err
			}
			all = append(all, &f)
			if h := had[rule]; h == nil || f.worst.Worse(h.worst) {
				had[rule] = &f
			}
			return nil
		})
	if err != nil {
		return err
	}
	list := o.Result.Findings
	if o.Unreadable {
		list = append(list[:len(list):len(list)], unreadableFinding(o))
	}
	done := map[string]bool{}
	for i := range list {
		f := &list[i]
		if done[f.Rule] || len(done) >= maxFindings {
			continue // one rule is told once, by its worst finding, which comes first
		}
		done[f.Rule] = true
		if err := recordFinding(x, o, was, f, had[f.Rule], now); err != nil {
			return err
		}
	}
	if o.Result.Partial {
		return nil
	}
	for _, f := range all {
		if f.closed == 0 && !f.seen {
			if _, _, err := x.exec("UPDATE findings SET closed = ? WHERE id = ?", now, f.id); err != nil {
				return err
			}
		}
	}
	return nil
}

func recordFinding(x *tx, o *Observation, was *row, f *signatures.Finding, had *openFinding, now int64) error {
	data, err := x.blob(f)
	if err != nil {
		return fmt.Errorf("finding %s: %w", f.Rule, err)
	}
	if had != nil && !f.Verdict.Worse(had.worst) {
		had.seen = true
		if o.Result.Partial && had.closed == 0 && had.verdict.Worse(f.Verdict) {
			return nil // what was found in the files stands until they have been read again
		}
		_, _, err = x.exec("UPDATE findings SET verdict = ?, data = ?, ruleset = ?, closed = 0 WHERE id = ?",
			f.Verdict, data, o.Ruleset, had.id)
		return err
	}
	if had != nil {
		if _, _, err := x.exec("UPDATE findings SET closed = ? WHERE id = ? AND closed = 0", now, had.id); err != nil {
			return err
		}
		had.seen = true
	}
	e := o.Extension
	key := keyOf(e.Browser, o.Dir, e.ID, placeOf(e), f.Rule, string(f.Verdict), strconv.FormatInt(was.episode, 10),
		strconv.FormatInt(now, 10))
	if _, _, err = x.exec(`INSERT INTO findings (extension, episode, rule, worst, verdict, data, ruleset, key, opened)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, was.id, was.episode, f.Rule, f.Verdict, f.Verdict, data, o.Ruleset, key, now); err != nil {
		return err
	}
	if !telling(f) {
		return nil
	}
	return addEvent(x, now, Warning, was.id, e.User, e.Name()+": "+f.Title)
}

// telling reports whether a finding is a warning.
func telling(f *signatures.Finding) bool {
	return f.Verdict.Worse(signatures.Unreadable) || f.Rule == RuleUnreadable
}

func unreadableFinding(o *Observation) signatures.Finding {
	reason := o.Extension.Unreadable
	if reason == "" && len(o.Result.Problems) > 0 {
		reason = o.Result.Problems[0].Reason
	}
	return signatures.Finding{
		Rule: RuleUnreadable, Title: "An extension that cannot be judged", Level: "medium", Verdict: signatures.Unreadable,
		Evidence: []signatures.Evidence{{Text: short(reason)}},
	}
}

const findingColumns = `f.id, f.extension, e.user, f.key, f.ruleset, f.opened, f.closed, f.rule, f.verdict, b.data,
	ifnull((SELECT min(t.done) FROM told t WHERE t.finding = f.id AND t.done <> 0), 0)`

// scanFinding reads the columns above, and then into. What is damaged in it is a problem: the rule and the verdict stay.
func scanFinding(rows *sql.Rows, into ...any) (f Finding, problem *manifests.Problem, err error) {
	var opened, closed, told int64
	var rule string
	var verdict signatures.Verdict
	var data []byte
	if err := rows.Scan(append([]any{
		&f.ID, &f.Extension, &f.User, &f.Key, &f.Ruleset, &opened, &closed, &rule, &verdict, &data, &told,
	}, into...)...); err != nil {
		return f, nil, err
	}
	if err := unpack(data, &f.Finding); err != nil {
		f.Finding = signatures.Finding{Title: rule}
		problem = &manifests.Problem{Reason: fmt.Sprintf("what was found by %s cannot be read any more: %v", rule, err)}
	}
	f.Rule, f.Verdict = rule, verdict
	f.Opened, f.Closed, f.Told = fromMillis(opened), fromMillis(closed), fromMillis(told)
	return f, problem, nil
}
