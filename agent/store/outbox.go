package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

const (
	// maxOutbox bounds what waits for one channel: a receiver that was away for a week does not want more.
	maxOutbox = 10_000
	// maxPayload bounds one delivery. A finding with its evidence is a few KB.
	maxPayload = 256 << 10
)

// A Delivery is a message on its way to another system.
type Delivery struct {
	Row     int64
	Channel string // "webhook", "syslog"
	Key     string // names it for ever: what has the same key is pushed once
	Payload []byte // at most 256 KiB
	// Findings that it tells. They are marked as told in the same transaction, to User on Channel.
	Findings []int64
	User     string
	Tries    int
	At       time.Time // when it was pushed
	Due      time.Time // when to try next
	Error    string    // of the last try
}

// Push queues a delivery. It reports how many of the channel's oldest were dropped because too many wait, which the
// timeline shows as well.
func (s *Store) Push(ctx context.Context, d Delivery) (dropped int, err error) {
	switch {
	case d.Channel == "" || d.Key == "":
		return 0, errors.New("queue a message: it needs a channel and a key")
	case len(d.Payload) > maxPayload:
		return 0, fmt.Errorf("queue a message: it has %d bytes; at most %d are sent", len(d.Payload), maxPayload)
	}
	err = s.write(ctx, "queue a message", true, func(x *tx) error {
		now := s.now()
		_, n, err := x.exec(`INSERT INTO outbox (channel, key, payload, at, due) VALUES (?1, ?2, ?3, ?4, ?4) ON CONFLICT DO NOTHING`,
			d.Channel, d.Key, append([]byte{}, d.Payload...), now)
		if err != nil {
			return err
		}
		if err := told(x, d.User, d.Channel, d.Findings, now); err != nil || n == 0 {
			return err
		}
		var waiting int
		if _, err := x.scan("SELECT count(*) FROM outbox WHERE channel = ? AND done = 0", []any{d.Channel}, &waiting); err != nil {
			return err
		}
		if waiting <= maxOutbox {
			return nil
		}
		// A tenth at once: the timeline shows few lines.
		_, gone, err := x.exec(`DELETE FROM outbox WHERE id IN
			(SELECT id FROM outbox WHERE channel = ? AND done = 0 ORDER BY id LIMIT ?)`, d.Channel, waiting-maxOutbox+maxOutbox/10)
		if err != nil {
			return err
		}
		dropped = int(gone)
		return addEvent(x, now, Problem, 0, "", fmt.Sprintf("%d messages to %s were dropped: more than %d wait", gone, d.Channel, maxOutbox))
	})
	return dropped, err
}

// Next returns at most n deliveries of a channel that are due, those that wait longest first. What is not Done or put off
// comes again.
func (s *Store) Next(ctx context.Context, channel string, n int) ([]Delivery, error) {
	var list []Delivery
	err := s.read(ctx, `SELECT id, channel, key, payload, tries, at, due, error FROM outbox
		WHERE channel = ? AND done = 0 AND due <= ? ORDER BY due, id LIMIT ?`, []any{channel, s.now(), max(n, 0)},
		func(rows *sql.Rows) error {
			var d Delivery
			var at, due int64
			if err := rows.Scan(&d.Row, &d.Channel, &d.Key, &d.Payload, &d.Tries, &at, &due, &d.Error); err != nil {
				return err
			}
			d.At, d.Due = fromMillis(at), fromMillis(due)
			list = append(list, d)
			return nil
		})
	return list, s.fail("look for what to send", err)
}

// Done writes down that deliveries arrived. Their keys are remembered for a while, their payloads are not.
func (s *Store) Done(ctx context.Context, deliveries ...int64) error {
	return s.write(ctx, "write down what was sent", true, func(x *tx) error {
		for _, id := range deliveries {
			if _, _, err := x.exec("UPDATE outbox SET done = ?, payload = x'', error = '', tries = tries + 1 WHERE id = ? AND done = 0",
				s.now(), id); err != nil {
				return err
			}
		}
		return nil
	})
}

// PutOff writes down that a delivery failed, why, and when to try again.
func (s *Store) PutOff(ctx context.Context, delivery int64, until time.Time, why string) error {
	return s.write(ctx, "put a message off", false, func(x *tx) error {
		_, _, err := x.exec("UPDATE outbox SET due = ?, tries = tries + 1, error = ? WHERE id = ? AND done = 0",
			millis(until), short(why), delivery)
		return err
	})
}
