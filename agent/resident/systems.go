package resident

import (
	"context"
	"fmt"

	"github.com/extwatch/extwatch/agent/store"
)

// tellSystems hands to the outputs what they were not told.
func (r *Resident) tellSystems(ctx context.Context) {
	r.mu.Lock()
	outputs := r.outputs
	r.mu.Unlock()
	if outputs == nil {
		return
	}
	err := func() error {
		untold, err := r.db().Untold(ctx, "", systems)
		if err != nil {
			return err
		}
		for _, f := range untold {
			rows, err := r.db().Extensions(ctx, store.Query{Row: f.Extension})
			if err != nil {
				return err
			}
			if len(rows) == 1 {
				if err := outputs.Tell(ctx, Happening{Key: f.Key, Kind: "opened", At: f.Opened, Extension: rows[0], Finding: &f}); err != nil {
					return err // it is told with the next
				}
			}
			if err := r.db().Told(ctx, "", systems, f.ID); err != nil {
				return err
			}
		}
		return nil
	}()
	if err != nil && ctx.Err() == nil {
		r.log.Error("tell other systems", "error", err)
	}
}

// happened tells other systems of something that only happens once. What is not durable here, is kept by the outputs.
func (r *Resident) happened(ctx context.Context, what Happening) {
	r.mu.Lock()
	outputs := r.outputs
	r.mu.Unlock()
	if outputs == nil {
		return
	}
	if what.At.IsZero() {
		what.At = r.cfg.Now()
	}
	if what.Key == "" {
		what.Key = fmt.Sprintf("%s-%d-%d", what.Kind, what.Extension.Row, what.At.UnixNano())
	}
	if err := outputs.Tell(ctx, what); err != nil && ctx.Err() == nil {
		r.log.Error("tell other systems", "error", err)
	}
}

// happenedTo is happened to an extension that is known by its row.
func (r *Resident) happenedTo(ctx context.Context, row int64, what Happening) {
	r.mu.Lock()
	off := r.outputs == nil
	r.mu.Unlock()
	if off {
		return
	}
	rows, err := r.db().Extensions(ctx, store.Query{Row: row})
	if err != nil || len(rows) != 1 {
		r.log.Error("tell other systems", "extension", row, "error", err)
		return
	}
	what.Extension = rows[0]
	r.happened(ctx, what)
}

// over tells other systems which findings of an extension are closed: it is gone, has changed or was judged anew. A receiver
// that was told before knows it by the key.
func (r *Resident) over(ctx context.Context, row int64) {
	r.mu.Lock()
	off := r.outputs == nil
	r.mu.Unlock()
	if off {
		return
	}
	rows, err := r.db().Extensions(ctx, store.Query{Row: row, Findings: true, Gone: true})
	if err != nil {
		r.log.Error("tell other systems what is over", "error", err)
		return
	}
	for _, x := range rows {
		for i := range x.Findings {
			f := &x.Findings[i]
			r.mu.Lock()
			known := f.Closed.IsZero() || f.Closed.Before(r.started) || r.closed[f.ID]
			if !known {
				r.closed[f.ID] = true
			}
			r.mu.Unlock()
			if !known {
				r.happened(ctx, Happening{Key: f.Key + "-closed", Kind: "closed", At: f.Closed, Extension: x, Finding: f})
			}
		}
	}
}
