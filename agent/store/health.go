package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

const (
	// maxSweeps is how many sweeps are kept: four days of hourly ones.
	maxSweeps = 100
	// maxFeeds is how many versions of the feed are kept.
	maxFeeds = 1000
	// maxUnread bounds the problems of one sweep that are kept.
	maxUnread = 1000
)

// Health is what the agent says of itself, and what is open.
type Health struct {
	Sweep time.Time // when the last one ended; zero: none yet
	Took  time.Duration
	// What it saw, and could not read.
	Browsers, Profiles, Extensions int
	Problems                       []manifests.Problem

	Feed              string    // "built-in", or where it comes from
	FeedVersion       int       // of the rules in use
	FeedAt            time.Time // when they came into use
	Rules, Indicators int

	// Only read:
	Open    map[signatures.Verdict]int // findings of extensions that are there, by verdict
	Waiting map[string]int             // deliveries, by channel
	Bytes   int64                      // of the file
}

// Swept writes down a sweep: the fields of Health up to Problems.
func (s *Store) Swept(ctx context.Context, h Health) error {
	return s.write(ctx, "write down the sweep", false, func(x *tx) error {
		problems := h.Problems
		if n := len(problems) - maxUnread; n > 0 {
			problems = append(problems[:maxUnread:maxUnread], manifests.Problem{Reason: fmt.Sprintf("and %d more", n)})
		}
		text, err := json.Marshal(problems)
		if err != nil {
			return err
		}
		data, err := x.compress(text)
		if err != nil {
			return err
		}
		id, _, err := x.exec("INSERT INTO sweeps (at, took, browsers, profiles, extensions, problems) VALUES (?, ?, ?, ?, ?, ?)",
			millis(h.Sweep), h.Took.Milliseconds(), h.Browsers, h.Profiles, h.Extensions, data)
		if err != nil {
			return err
		}
		_, _, err = x.exec("DELETE FROM sweeps WHERE id <= ?", id-maxSweeps)
		return err
	})
}

// Fed writes down that a version of the rules came into use: Feed, FeedVersion, Rules and Indicators. The one that is in
// use already is left as it is.
func (s *Store) Fed(ctx context.Context, h Health) error {
	return s.write(ctx, "write down the feed's version", true, func(x *tx) error {
		var name string
		var version, rules, indicators int
		found, err := x.scan("SELECT name, version, rules, indicators FROM feeds ORDER BY id DESC LIMIT 1", nil,
			&name, &version, &rules, &indicators)
		if err != nil || found && name == h.Feed && version == h.FeedVersion && rules == h.Rules && indicators == h.Indicators {
			return err
		}
		id, _, err := x.exec("INSERT INTO feeds (name, version, rules, indicators, at) VALUES (?, ?, ?, ?, ?)",
			h.Feed, h.FeedVersion, h.Rules, h.Indicators, s.now())
		if err != nil {
			return err
		}
		_, _, err = x.exec("DELETE FROM feeds WHERE id <= ?", id-maxFeeds)
		return err
	})
}

// Health returns the last sweep, the rules in use, and what is open.
func (s *Store) Health(ctx context.Context) (Health, error) {
	h := Health{Open: map[signatures.Verdict]int{}, Waiting: map[string]int{}}
	for _, step := range []func(context.Context, *Health) error{s.lastSweep, s.lastFeed, s.counts} {
		if err := step(ctx, &h); err != nil {
			return h, s.fail("read the state of the agent", err)
		}
	}
	return h, nil
}

func (s *Store) lastSweep(ctx context.Context, h *Health) error {
	return s.read(ctx, "SELECT at, took, browsers, profiles, extensions, problems FROM sweeps ORDER BY id DESC LIMIT 1", nil,
		func(rows *sql.Rows) error {
			var at, took int64
			var data []byte
			if err := rows.Scan(&at, &took, &h.Browsers, &h.Profiles, &h.Extensions, &data); err != nil {
				return err
			}
			h.Sweep, h.Took = fromMillis(at), time.Duration(took)*time.Millisecond
			if err := unpack(data, &h.Problems); err != nil {
				h.Problems = []manifests.Problem{{Reason: "the problems of the last sweep cannot be read any more: " + err.Error()}}
			}
			return nil
		})
}

func (s *Store) lastFeed(ctx context.Context, h *Health) error {
	return s.read(ctx, "SELECT name, version, rules, indicators, at FROM feeds ORDER BY id DESC LIMIT 1", nil,
		func(rows *sql.Rows) error {
			var at int64
			err := rows.Scan(&h.Feed, &h.FeedVersion, &h.Rules, &h.Indicators, &at)
			h.FeedAt = fromMillis(at)
			return err
		})
}

func (s *Store) counts(ctx context.Context, h *Health) error {
	var n int
	var name string
	err := s.read(ctx, `SELECT f.verdict, count(*) FROM findings f JOIN extensions e ON e.id = f.extension
		WHERE f.closed = 0 AND e.gone = 0 GROUP BY f.verdict`, nil, func(rows *sql.Rows) error {
		if err := rows.Scan(&name, &n); err != nil {
			return err
		}
		h.Open[signatures.Verdict(name)] = n
		return nil
	})
	if err != nil {
		return err
	}
	err = s.read(ctx, "SELECT channel, count(*) FROM outbox WHERE done = 0 GROUP BY channel", nil, func(rows *sql.Rows) error {
		if err := rows.Scan(&name, &n); err != nil {
			return err
		}
		h.Waiting[name] = n
		return nil
	})
	if err != nil {
		return err
	}
	h.Bytes, err = s.size(ctx)
	return err
}

func (s *Store) size(ctx context.Context) (int64, error) {
	var pages int64
	err := s.reader().QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages)
	return pages * pageSize, err
}

// Tick remembers, or forgets, that a user did a step of what to do now at an exchange.
func (s *Store) Tick(ctx context.Context, user, exchange, step string, done bool) error {
	return s.write(ctx, "remember the step", true, func(x *tx) error {
		query := "DELETE FROM ticks WHERE user = ? AND exchange = ? AND step = ?"
		args := []any{user, short(exchange), short(step)}
		if done {
			query = "INSERT INTO ticks (user, exchange, step, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
			args = append(args, s.now())
		}
		_, _, err := x.exec(query, args...)
		return err
	})
}

// Ticks returns when a user did which steps at an exchange.
func (s *Store) Ticks(ctx context.Context, user, exchange string) (map[string]time.Time, error) {
	done := map[string]time.Time{}
	err := s.read(ctx, "SELECT step, at FROM ticks WHERE user = ? AND exchange = ?", []any{user, exchange}, func(rows *sql.Rows) error {
		var step string
		var at int64
		if err := rows.Scan(&step, &at); err != nil {
			return err
		}
		done[step] = fromMillis(at)
		return nil
	})
	return done, s.fail("read the steps", err)
}
