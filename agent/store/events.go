package store

import (
	"context"
	"database/sql"
	"time"
)

// maxEvents bounds one answer of Timeline.
const maxEvents = 1000

// An Event is one line of the timeline.
type Event struct {
	ID        int64
	At        time.Time
	Kind      Kind
	Extension int64  // Extension.Row; 0 when it is about none, or about one that is forgotten
	User      string // whose profile; "" is the machine
	Text      string // holds what extensions call themselves: escape it where it is shown
}

// Note adds a line to the timeline. Record and Decide add theirs by themselves.
func (s *Store) Note(ctx context.Context, kind Kind, user, text string) error {
	return s.write(ctx, "add to the timeline", false, func(x *tx) error {
		return addEvent(x, s.now(), kind, 0, user, text)
	})
}

func addEvent(x *tx, now int64, kind Kind, extension int64, user, text string) error {
	var ext any
	if extension != 0 {
		ext = extension
	}
	_, _, err := x.exec("INSERT INTO events (at, kind, extension, user, text) VALUES (?, ?, ?, ?, ?)", now, kind, ext, user, short(text))
	return err
}

// Timeline returns what happened, newest first, at most 1,000 lines: to a user's profiles ("" is all), before the line
// with that ID (0 is from the newest).
func (s *Store) Timeline(ctx context.Context, user string, before int64, n int) ([]Event, error) {
	var list []Event
	err := s.read(ctx, `SELECT id, at, kind, ifnull(extension, 0), user, text FROM events
		WHERE (?1 = '' OR user = ?1) AND (?2 = 0 OR id < ?2) ORDER BY id DESC LIMIT ?3`,
		[]any{user, before, min(max(n, 0), maxEvents)}, func(rows *sql.Rows) error {
			var e Event
			var at int64
			if err := rows.Scan(&e.ID, &at, &e.Kind, &e.Extension, &e.User, &e.Text); err != nil {
				return err
			}
			e.At = fromMillis(at)
			list = append(list, e)
			return nil
		})
	return list, s.fail("read the timeline", err)
}
