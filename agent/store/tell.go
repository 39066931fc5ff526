package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/extwatch/extwatch/signatures"
)

// maxUntold is how many findings are given out at once: more cannot be shown, and the rest comes with the next call.
const maxUntold = 1000

// untoldQuery has what is open and not told. The decisions that cover a finding are those for its extension, in its place
// (an unpacked one may claim the ID of one that is trusted), profile and rule, that are neither ended nor over.
const untoldQuery = `SELECT ` + findingColumns + `, ifnull(m.began, 0),
	(SELECT group_concat(DISTINCT d.upto) FROM decisions d WHERE d.kind IN ('trust', 'snooze') AND d.ended = 0
		AND (d.until = 0 OR d.until > ?1) AND d.ext_id = e.ext_id AND d.place = e.place
		AND d.browser IN ('', e.browser) AND d.user IN ('', e.user) AND d.dir IN ('', e.dir) AND d.rule IN ('', f.rule))
	FROM findings f JOIN extensions e ON e.id = f.extension JOIN blobs b ON b.id = f.data
	LEFT JOIN told m ON m.finding = f.id AND m.user = ?2 AND m.channel = ?3
	WHERE f.closed = 0 AND (f.verdict IN ('malicious', 'suspicious') OR f.rule = 'unreadable') `

// untold are those of one extension that nobody was told of.
func untold(x *tx, extension, now int64) ([]Finding, error) {
	s, err := x.stmt(untoldQuery + `AND f.extension = ?4
		AND NOT EXISTS (SELECT 1 FROM told t WHERE t.finding = f.id AND t.done <> 0) ORDER BY f.id`)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(x.ctx, now, "", "", extension)
	list, err := collectUntold(rows, err)
	if err != nil || len(list) == 0 {
		return list, err
	}
	for i := range list { // on whatever channel it was begun
		if list[i].Again, err = x.scan("SELECT 1 FROM told WHERE finding = ?", []any{list[i].ID}, new(int)); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Untold returns the open findings, suspicious or worse, that the user has not been told of on this channel, oldest
// first, at most 1,000. It is how a channel begins: after a restart, or when somebody logs in. A user sees those of their
// own profiles; "" stands for a receiver that sees those of all, such as a log.
func (s *Store) Untold(ctx context.Context, user, channel string) ([]Finding, error) {
	rows, err := s.reader().QueryContext(ctx, untoldQuery+`AND (?2 = '' OR e.user = ?2) AND ifnull(m.done, 0) = 0
		ORDER BY f.id LIMIT ?4`, s.now(), user, channel, maxUntold)
	list, err := collectUntold(rows, err)
	return list, s.fail("look for what is not told", err)
}

func collectUntold(rows *sql.Rows, err error) ([]Finding, error) {
	var list []Finding
	err = eachRow(rows, err, func(rows *sql.Rows) error {
		var began int64
		var upto sql.NullString
		f, _, err := scanFinding(rows, &began, &upto) // damaged details do not keep it from being told
		if err != nil {
			return err
		}
		f.Again = began != 0
		if !covered(&f, upto.String) {
			list = append(list, f)
		}
		return nil
	})
	return list, err
}

// covered reports whether one of the verdicts is as bad as the finding's: trust in something suspicious is none in the
// same turned malicious.
func covered(f *Finding, upto string) bool {
	if upto == "" {
		return false
	}
	return slices.ContainsFunc(strings.Split(upto, ","), func(v string) bool { return !f.Verdict.Worse(signatures.Verdict(v)) })
}

// Telling writes down that findings are about to be shown to a user on a channel, and returns those that are to be shown:
// not what was told there before, or is closed. Those that may have been shown have Again set.
func (s *Store) Telling(ctx context.Context, user, channel string, findings ...int64) ([]Finding, error) {
	var list []Finding
	err := s.write(ctx, "write down what is about to be told", true, func(x *tx) error {
		list = nil
		for _, id := range findings {
			err := x.each("SELECT "+findingColumns+`, ifnull(m.began, 0), ifnull(m.done, 0)
				FROM findings f JOIN extensions e ON e.id = f.extension JOIN blobs b ON b.id = f.data
				LEFT JOIN told m ON m.finding = f.id AND m.user = ?1 AND m.channel = ?2 WHERE f.id = ?3 AND f.closed = 0`,
				[]any{user, channel, id}, func(rows *sql.Rows) error {
					var began, done int64
					f, _, err := scanFinding(rows, &began, &done)
					if f.Again = began != 0; err == nil && done == 0 {
						list = append(list, f)
					}
					return err
				})
			if err != nil {
				return err
			}
		}
		for i := range list {
			if _, _, err := x.exec(`INSERT INTO told (finding, user, channel, began) VALUES (?, ?, ?, ?)
				ON CONFLICT DO NOTHING`, list[i].ID, user, channel, s.now()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Told writes down that findings were shown to a user on a channel. They are never given out for it again.
func (s *Store) Told(ctx context.Context, user, channel string, findings ...int64) error {
	return s.write(ctx, "write down what was told", true, func(x *tx) error {
		return told(x, user, channel, findings, s.now())
	})
}

func told(x *tx, user, channel string, findings []int64, now int64) error {
	for _, id := range findings {
		if _, _, err := x.exec(`INSERT INTO told (finding, user, channel, began, done) VALUES (?1, ?2, ?3, ?4, ?4)
			ON CONFLICT DO UPDATE SET done = ?4 WHERE done = 0`, id, user, channel, now); err != nil {
			return fmt.Errorf("finding %d: %w", id, err)
		}
	}
	return nil
}
