package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"
)

const (
	maxPointer  = 256
	maxSaved    = 64 << 10
	maxRefusals = 16
	// A rehearsal that ran out of time may have met a busy machine, so it is tried again after this time.
	retrySlow = time.Hour
)

// A pointer is the content of the file current: which tree is in use, and which one with other files was in use before it;
// that one stays on disk for whoever still reads it.
type pointer struct{ tree, previous string }

var treeName = regexp.MustCompile(`^[1-9][0-9]{0,18}-[0-9a-f]{16}$`)

func (p pointer) String() string {
	s := "tree " + p.tree + "\n"
	if p.previous != "" {
		s += "previous " + p.previous + "\n"
	}
	return s
}

func parsePointer(data []byte) (pointer, error) {
	var p pointer
	lines := bytes.Split(data, []byte("\n"))
	if len(data) > maxPointer || len(lines) < 2 || len(lines) > 3 || len(lines[len(lines)-1]) > 0 {
		return p, errors.New("the file current is damaged")
	}
	tree, ok := bytes.CutPrefix(lines[0], []byte("tree "))
	if !ok || !treeName.Match(tree) {
		return p, errors.New("the file current names no tree")
	}
	p.tree = string(tree)
	if len(lines) == 3 {
		previous, ok := bytes.CutPrefix(lines[1], []byte("previous "))
		if !ok || !treeName.Match(previous) {
			return pointer{}, errors.New("the file current names no previous tree")
		}
		p.previous = string(previous)
	}
	return p, nil
}

// A refusal is a feed that did not pass its rehearsal.
type refusal struct {
	Content string    `json:"content"`
	Engine  string    `json:"engine"`
	Version int64     `json:"version"`
	Reason  string    `json:"reason"`
	At      time.Time `json:"at"`
	Slow    bool      `json:"slow,omitempty"` // it ran out of time
}

// saved is the content of state.json.
type saved struct {
	Format   int       `json:"format"`
	Checked  time.Time `json:"checked"`
	Success  time.Time `json:"success"`
	Changed  time.Time `json:"changed"`
	Mirror   string    `json:"mirror"`
	Content  string    `json:"content"` // of the files that passed the rehearsal with Engine
	Engine   string    `json:"engine"`
	Refusals []refusal `json:"refusals,omitempty"`
}

const savedFormat = 1

func parseSaved(data []byte) (saved, error) {
	var s saved
	if len(data) > maxSaved {
		return s, fmt.Errorf("state.json has %d bytes", len(data))
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return saved{}, fmt.Errorf("read state.json: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return saved{}, errors.New("read state.json: more than one value")
	}
	if s.Format != savedFormat || len(s.Refusals) > maxRefusals {
		return saved{}, errors.New("read state.json: made by another version")
	}
	return s, nil
}

// readSaved returns what state.json says. A missing or damaged one says nothing: all it costs is a rehearsal.
func (d disk) readSaved() saved {
	data, err := d.read("state.json", maxSaved)
	if err == nil {
		if s, err := parseSaved(data); err == nil {
			return s
		}
	}
	return saved{Format: savedFormat}
}

func (d disk) writeSaved(s saved) error {
	s.Format = savedFormat
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return d.write("state.json", append(data, '\n'))
}

// refused returns whether these files were refused by this engine.
func (s saved) refused(content, engine string, now time.Time) (refusal, bool) {
	for _, r := range s.Refusals {
		if r.Content == content && r.stands(engine, now) {
			return r, true
		}
	}
	return refusal{}, false
}

// stands reports whether a refusal still counts. One from the future does not when time decides: the clock was wrong.
func (r refusal) stands(engine string, now time.Time) bool {
	age := now.Sub(r.At)
	return r.Engine == engine && (!r.Slow || age >= 0 && age < retrySlow)
}

// newestRefusal returns the last feed that was refused, if it is newer than the version in use.
func (s saved) newestRefusal(engine string, version int64, now time.Time) (refusal, bool) {
	if len(s.Refusals) == 0 {
		return refusal{}, false
	}
	r := s.Refusals[len(s.Refusals)-1]
	return r, r.Version > version && r.stands(engine, now)
}

func (s *saved) refuse(r refusal) {
	const maxReason = 2000
	if len(r.Reason) > maxReason {
		r.Reason = r.Reason[:maxReason]
	}
	s.Refusals = slices.DeleteFunc(s.Refusals, func(old refusal) bool {
		return old.Content == r.Content || old.Engine != r.Engine
	})
	s.Refusals = append(s.Refusals, r)
	if n := len(s.Refusals); n > maxRefusals {
		s.Refusals = s.Refusals[n-maxRefusals:]
	}
}
