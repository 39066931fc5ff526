package store

import (
	"context"
	"database/sql"
	"time"
)

const (
	// longer is how much longer findings and decisions are kept than the rest: they may be asked for in court.
	longer = 5
	// sentFor is how long the key of a delivery that arrived is remembered.
	sentFor = 7 * 24 * time.Hour
	// rounds bounds how often Compact halves what it may keep to get below the bound.
	rounds = 12
)

// orphans removes what no row refers to any more.
const orphans = `DELETE FROM blobs WHERE id NOT IN (
	SELECT result FROM extensions UNION ALL SELECT manifest FROM versions
	UNION ALL SELECT files FROM versions WHERE files IS NOT NULL UNION ALL SELECT data FROM findings)`

// Compact forgets what is older than Config.Keep and what no one needs, brings the file below Config.MaxBytes, and gives
// the space back. To get below, it forgets analyses first (they are made anew), then the oldest lines of the timeline,
// file lists, old versions. Open findings and decisions that hold are never forgotten. Call it once a day.
func (s *Store) Compact(ctx context.Context) error {
	now := s.cfg.Now()
	old, oldest := millis(now.Add(-s.cfg.Keep)), millis(now.Add(-longer*s.cfg.Keep))
	err := s.write(ctx, "forget what is old", false, func(x *tx) error {
		for _, step := range []struct {
			query string
			arg   int64
		}{
			{"DELETE FROM events WHERE at < ?", old},
			{"DELETE FROM analyses WHERE used < ?", old},
			{"DELETE FROM outbox WHERE done <> 0 AND done < ?", millis(now.Add(-sentFor))},
			{"DELETE FROM findings WHERE closed <> 0 AND closed < ?", oldest},
			{"DELETE FROM decisions WHERE iif(ended <> 0, ended, until) BETWEEN 1 AND ?", oldest},
			{"DELETE FROM extensions WHERE gone <> 0 AND gone < ? AND id NOT IN (SELECT extension FROM findings)", old},
			{`DELETE FROM versions WHERE last_seen < ? AND id NOT IN (SELECT max(id) FROM versions GROUP BY extension)
				AND extension NOT IN (SELECT extension FROM findings WHERE closed = 0)`, old},
			{"DELETE FROM ticks WHERE at < ?", oldest},
			{orphans, 0},
		} {
			args := []any{step.arg}
			if step.query == orphans {
				args = nil
			}
			if _, _, err := x.exec(step.query, args...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.shrink(ctx); err != nil {
		return s.fail("make the store smaller", err)
	}
	return nil
}

// shrink forgets, half of one kind at a time, until what is used is below the bound.
func (s *Store) shrink(ctx context.Context) error {
	steps := []string{
		"DELETE FROM analyses WHERE used <= (SELECT used FROM analyses ORDER BY used LIMIT 1 OFFSET (SELECT count(*) / 2 FROM analyses))",
		"DELETE FROM events WHERE id <= (SELECT (min(id) + max(id)) / 2 FROM events)",
		"UPDATE versions SET files = NULL WHERE id NOT IN (SELECT max(id) FROM versions GROUP BY extension)",
		"DELETE FROM versions WHERE id NOT IN (SELECT max(id) FROM versions GROUP BY extension)",
		"UPDATE versions SET files = NULL",
		"DELETE FROM extensions WHERE gone <> 0 AND id NOT IN (SELECT extension FROM findings)",
		"DELETE FROM outbox WHERE id <= (SELECT (min(id) + max(id)) / 2 FROM outbox)",
	}
	for round := 0; len(steps) > 0 && round < len(steps)+rounds; round++ {
		used, err := s.used(ctx)
		if err != nil {
			return err
		}
		if used <= s.cfg.MaxBytes {
			break
		}
		var n int64
		err = s.transact(ctx, false, func(x *tx) error {
			if _, n, err = x.exec(steps[0]); err != nil {
				return err
			}
			_, _, err := x.exec(orphans)
			return err
		})
		if err != nil {
			return err
		}
		if n == 0 {
			steps = steps[1:]
		}
	}
	for _, query := range []string{"PRAGMA incremental_vacuum", "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA optimize", "PRAGMA shrink_memory"} {
		if err := runAll(s.w.QueryContext(ctx, query)); err != nil {
			return err
		}
	}
	return nil
}

// used is the size of the file without the pages that are free.
func (s *Store) used(ctx context.Context) (int64, error) {
	var free int64
	if err := s.w.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&free); err != nil {
		return 0, err
	}
	var pages int64
	err := s.w.QueryRowContext(ctx, "PRAGMA page_count").Scan(&pages)
	return (pages - free) * pageSize, err
}

// runAll runs a statement to its end: incremental_vacuum frees one page for each row that is asked for.
func runAll(rows *sql.Rows, err error) error {
	return eachRow(rows, err, func(*sql.Rows) error { return nil })
}
