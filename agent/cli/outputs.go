package cli

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/extwatch/extwatch/agent/notifier/outputs"
	"github.com/extwatch/extwatch/agent/places"
	"github.com/extwatch/extwatch/agent/resident"
	"github.com/extwatch/extwatch/agent/settings"
	"github.com/extwatch/extwatch/agent/store"
	"github.com/extwatch/extwatch/signatures"
)

// systems tells other systems what the service finds.
type systems struct {
	*outputs.Outputs
	stop  context.CancelFunc
	ended chan struct{}
}

// newOutputs opens what the settings name. A wrong one is logged: people are warned all the same.
func newOutputs(logger *slog.Logger) func(context.Context, settings.Settings, *store.Store) resident.Outputs {
	return func(ctx context.Context, s settings.Settings, kept *store.Store) resident.Outputs {
		if to := s.Outputs; to.Syslog == "" && to.Webhook == "" && to.File == "" && !to.Journal && !to.EventLog {
			return nil
		}
		to := outputs.Targets(s.Outputs)
		if to.File != "" && !filepath.IsAbs(to.File) {
			if err := os.MkdirAll(places.Here().Logs, 0o750); err != nil {
				logger.Error("make the folder for logs", "error", err)
			}
			to.File = filepath.Join(places.Here().Logs, to.File)
		}
		made, err := outputs.New(outputs.Config{
			Targets: to, Queue: queue{kept}, Version: engineVersion,
			Failed: func(err error) { logger.Warn("tell another system", "error", err) },
		})
		if err != nil {
			logger.Error("other systems are not told", "error", err)
			return nil
		}
		ctx, stop := context.WithCancel(ctx)
		o := &systems{made, stop, make(chan struct{})}
		go func() {
			defer close(o.ended)
			made.Run(ctx)
		}()
		return o
	}
}

// kindOf is how the outputs call what happened.
func kindOf(happened string) outputs.Kind {
	switch happened {
	case "opened":
		return outputs.Opened
	case "closed":
		return outputs.Closed
	case "told":
		return outputs.Warned
	case "blocked":
		return outputs.Blocked
	case "unblocked":
		return outputs.Undone
	case "trusted":
		return outputs.Trusted
	}
	return outputs.Problem
}

func (o *systems) Tell(ctx context.Context, h resident.Happening) error {
	x := &h.Extension
	e := outputs.Event{
		Key: h.Key, Kind: kindOf(h.Kind), Time: h.At, User: x.User, By: h.By, Browser: x.Browser, Profile: x.Profile,
		Extension: x.ID, Name: x.Name, Version: x.Version, Path: x.Path, Verdict: x.Result.Verdict, Reason: h.Reason,
	}
	for _, r := range x.Result.Reach {
		e.Exchanges = append(e.Exchanges, r.Title)
	}
	name := cmp.Or(x.Name, x.ID)
	switch h.Kind {
	case "opened", "closed":
		if h.Finding.Verdict != signatures.Malicious && h.Finding.Verdict != signatures.Suspicious {
			return nil
		}
		e.Verdict, e.FindingKey, e.Finding, e.Message = h.Finding.Verdict, h.Finding.Key, &h.Finding.Finding, h.Finding.Title
	case "told":
		e.Message = fmt.Sprintf("%s was warned of %q", h.By, name)
	case "problem":
		e.Message = h.Reason
	default:
		e.Message = fmt.Sprintf("%q was %s by %s", name, h.Kind, h.By)
	}
	return o.Outputs.Tell(ctx, e)
}

func (o *systems) Close() {
	o.stop()
	<-o.ended
	o.Outputs.Close()
}

// A queue keeps deliveries in the store.
type queue struct{ s *store.Store }

func (q queue) Push(ctx context.Context, channel, key string, payload []byte) error {
	_, err := q.s.Push(ctx, store.Delivery{Channel: channel, Key: key, Payload: payload})
	return err
}

func (q queue) Next(ctx context.Context, channel string, n int) ([]outputs.Delivery, error) {
	list, err := q.s.Next(ctx, channel, n)
	out := make([]outputs.Delivery, len(list))
	for i, d := range list {
		out[i] = outputs.Delivery{Row: d.Row, Key: d.Key, Payload: d.Payload, Tries: d.Tries}
	}
	return out, err
}

func (q queue) Done(ctx context.Context, rows ...int64) error { return q.s.Done(ctx, rows...) }

func (q queue) PutOff(ctx context.Context, row int64, until time.Time, why string) error {
	return q.s.PutOff(ctx, row, until, why)
}
