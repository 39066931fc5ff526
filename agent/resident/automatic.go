package resident

import (
	"context"
	"slices"

	"github.com/extwatch/extwatch/agent"
	"github.com/extwatch/extwatch/agent/response"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/manifests"
	"github.com/extwatch/extwatch/signatures"
)

// automaticBy is who blocks without being asked.
const automaticBy = "extwatch"

// automatic blocks what is malicious, when the settings ask for it and nobody said that it is trusted.
func (r *Resident) automatic(ctx context.Context, e *agent.Event, row int64) {
	if !r.set().Block.Automatic || e.Result.Verdict != signatures.Malicious || !e.Extension.Enabled ||
		e.Extension.Origin == manifests.OriginBuiltin {
		return
	}
	t := response.TargetOf(e.Profile, e.Extension.ID)
	blocks, err := r.blocker.Blocked()
	if err != nil || slices.ContainsFunc(blocks, func(b response.Record) bool { return b.Target == t }) {
		return
	}
	rows, err := r.db().Extensions(ctx, store.Query{Row: row})
	if err != nil || len(rows) == 0 {
		return
	}
	decisions, err := r.db().Decisions(ctx, e.Extension.ID, false)
	if err != nil || slices.ContainsFunc(decisions, func(d store.Decision) bool {
		return d.Kind == "trust" && d.UpTo == signatures.Malicious && d.Place == rows[0].Place
	}) {
		return
	}
	var a Reply
	if err := r.blockOne(ctx, automaticBy, rows[0], t, "found to be malicious", &a); err != nil {
		r.log.Error("block what is malicious", "extension", e.Extension.ID, "error", err)
		r.note(ctx, store.Problem, rows[0].User, "it could not be blocked: "+err.Error())
	}
}
