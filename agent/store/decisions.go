package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/extwatch/extwatch/signatures"
)

// maxDecisions bounds those that hold at once: each is made by a person.
const maxDecisions = 10_000

// A Decision is what a person decided about an extension.
type Decision struct {
	Row  int64
	Kind string // "trust", "snooze": it is not told of; "block": the browser was told to refuse it
	ID   string // of the extension; required
	// Place is the folder of an unpacked or built-in extension, which can claim any ID; "" is the one that is installed.
	Place string

	// What it is limited to; "" is all.
	Browser, User, Dir, Rule string

	// UpTo is the worst verdict that a trust or snooze covers; "" is suspicious.
	UpTo    signatures.Verdict
	Reason  string
	By      string // required
	At      time.Time
	Until   time.Time // zero: until it is ended
	Ended   time.Time // zero: it was not
	EndedBy string
}

// Decide writes a decision down, and returns its row.
func (s *Store) Decide(ctx context.Context, d Decision) (int64, error) {
	switch {
	case d.Kind != "trust" && d.Kind != "block" && d.Kind != "snooze":
		return 0, fmt.Errorf("decide: the kind is trust, block or snooze, not %q", d.Kind)
	case d.ID == "" && d.Place == "":
		return 0, errors.New("decide: name the extension")
	case d.By == "":
		return 0, errors.New("decide: say who decides")
	case d.Kind == "snooze" && d.Until.IsZero():
		return 0, errors.New("decide: say until when to snooze")
	}
	if d.UpTo == "" {
		d.UpTo = signatures.Suspicious
	}
	var id int64
	err := s.write(ctx, "write down the decision", true, func(x *tx) error {
		var n int
		now := s.now()
		if _, err := x.scan("SELECT count(*) FROM decisions WHERE ended = 0 AND (until = 0 OR until > ?)", []any{now}, &n); err != nil {
			return err
		}
		if n >= maxDecisions {
			return fmt.Errorf("there are %d decisions already; end some that are not needed", n)
		}
		var err error
		id, _, err = x.exec(`INSERT INTO decisions (kind, ext_id, place, browser, user, dir, rule, upto, reason, by, at, until)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, d.Kind, d.ID, d.Place, d.Browser, d.User, d.Dir, d.Rule, d.UpTo,
			short(d.Reason), short(d.By), now, millis(d.Until))
		if err != nil {
			return err
		}
		return addEvent(x, now, Decided, 0, d.User, fmt.Sprintf("%s %s, by %s: %s", d.Kind, d.ID, d.By, d.Reason))
	})
	return id, err
}

// Undecide ends a decision. One that has ended is left as it is.
func (s *Store) Undecide(ctx context.Context, decision int64, by string) error {
	return s.write(ctx, "end the decision", true, func(x *tx) error {
		now := s.now()
		var kind, id, user string
		found, err := x.scan("SELECT kind, ext_id, user FROM decisions WHERE id = ?", []any{decision}, &kind, &id, &user)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("there is no decision %d", decision)
		}
		_, n, err := x.exec("UPDATE decisions SET ended = ?, ended_by = ? WHERE id = ? AND ended = 0", now, short(by), decision)
		if err != nil || n == 0 {
			return err
		}
		return addEvent(x, now, Decided, 0, user, fmt.Sprintf("no more %s %s, by %s", kind, id, by))
	})
}

// Decisions returns those about an extension's ID ("" is all), newest first: those that hold now, or all that there were.
func (s *Store) Decisions(ctx context.Context, id string, all bool) ([]Decision, error) {
	var list []Decision
	err := s.read(ctx, `SELECT id, kind, ext_id, place, browser, user, dir, rule, upto, reason, by, at, until, ended, ended_by
		FROM decisions WHERE (?1 = '' OR ext_id = ?1) AND (?2 OR ended = 0 AND (until = 0 OR until > ?3)) ORDER BY id DESC`,
		[]any{id, all, s.now()}, func(rows *sql.Rows) error {
			var d Decision
			var at, until, ended int64
			if err := rows.Scan(&d.Row, &d.Kind, &d.ID, &d.Place, &d.Browser, &d.User, &d.Dir, &d.Rule, &d.UpTo, &d.Reason,
				&d.By, &at, &until, &ended, &d.EndedBy); err != nil {
				return err
			}
			d.At, d.Until, d.Ended = fromMillis(at), fromMillis(until), fromMillis(ended)
			list = append(list, d)
			return nil
		})
	return list, s.fail("read the decisions", err)
}
