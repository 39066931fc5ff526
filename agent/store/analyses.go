package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/extwatch/extwatch/signatures/behavior"
)

// usedEvery is how exact it is known when an analysis was last used.
const usedEvery = 24 * time.Hour

// An Analysis is what the files of an extension told, whoever has it installed.
type Analysis struct {
	Behavior *behavior.Report `json:"behavior,omitempty"`
	Facts    json.RawMessage  `json:"facts,omitempty"` // what else the caller keeps of the contents
}

// PutAnalysis keeps what was found in files with this content hash by this version of the engine (and, where it matters,
// of the ruleset). Unpacked it may have at most 32 MiB: a larger one is not kept, which is an error.
func (s *Store) PutAnalysis(ctx context.Context, content, engine string, a Analysis) error {
	if content == "" || engine == "" {
		return errors.New("keep an analysis: it needs a content hash and an engine version")
	}
	text, err := json.Marshal(a)
	if err != nil {
		return s.fail("keep an analysis", err)
	}
	return s.write(ctx, "keep an analysis", false, func(x *tx) error {
		data, err := x.compress(text)
		if err != nil {
			return err
		}
		_, _, err = x.exec(`INSERT INTO analyses (content, engine, data, used) VALUES (?1, ?2, ?3, ?4)
			ON CONFLICT DO UPDATE SET data = ?3, used = ?4`, content, engine, data, s.now())
		return err
	})
}

// GetAnalysis returns what PutAnalysis kept, and whether there is any. A damaged one is none: it is made anew.
func (s *Store) GetAnalysis(ctx context.Context, content, engine string) (Analysis, bool, error) {
	var data []byte
	var used int64
	err := s.reader().QueryRowContext(ctx, "SELECT data, used FROM analyses WHERE content = ? AND engine = ?", content, engine).
		Scan(&data, &used)
	if errors.Is(err, sql.ErrNoRows) {
		return Analysis{}, false, nil
	}
	if err != nil {
		return Analysis{}, false, s.fail("look for an analysis", err)
	}
	var a Analysis
	if unpack(data, &a) != nil {
		return Analysis{}, false, nil
	}
	if now := s.now(); s.w != nil && now-used > usedEvery.Milliseconds() {
		err = s.write(ctx, "keep an analysis", false, func(x *tx) error {
			_, _, err := x.exec("UPDATE analyses SET used = ? WHERE content = ? AND engine = ?", now, content, engine)
			return err
		})
	}
	return a, true, err
}
