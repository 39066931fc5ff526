package cli

import (
	"context"
	"log/slog"
	"time"

	"github.com/extwatch/extwatch/agent/notifier/outputs"
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
		made, err := outputs.New(outputs.Config{
			Targets: outputs.Targets(s.Outputs), Queue: queue{kept}, Version: engineVersion,
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

func (o *systems) Tell(ctx context.Context, x store.Extension, findings []store.Finding) error {
	var titles []string
	for _, r := range x.Result.Reach {
		titles = append(titles, r.Title)
	}
	for i := range findings {
		f := &findings[i]
		if f.Verdict != signatures.Malicious && f.Verdict != signatures.Suspicious {
			continue
		}
		if err := o.Outputs.Tell(ctx, outputs.Event{
			Key: f.Key, Kind: outputs.Opened, Time: f.Opened, Message: f.Title, User: x.User, Browser: x.Browser, Profile: x.Profile,
			Extension: x.ID, Name: x.Name, Version: x.Version, Path: x.Path, Verdict: f.Verdict, Exchanges: titles,
			FindingKey: f.Key, Finding: &f.Finding,
		}); err != nil {
			return err
		}
	}
	return nil
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
