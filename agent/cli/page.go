package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"

	"github.com/extwatch/extwatch/agent/dashboard"
	"github.com/extwatch/extwatch/agent/resident"
	"github.com/extwatch/extwatch/agent/settings"
	"github.com/extwatch/extwatch/agent/store"
)

// A page is the local page, while it is served.
type page struct {
	*dashboard.Page
	address net.Addr
	stop    context.CancelFunc
	ended   chan struct{}
}

func (p *page) Enter(who resident.Caller, to string) string {
	return "http://" + p.address.String() + p.Page.EnterFrom(who.UID, who.Name, who.Admin, to)
}

func (p *page) Close() {
	p.stop()
	<-p.ended
}

// newPage serves the page from the service's store. What a person decides on it, the service does.
func newPage(logger *slog.Logger) func(context.Context, settings.Settings, *store.Store, *resident.Resident) (resident.Page, error) {
	return func(ctx context.Context, s settings.Settings, kept *store.Store, r *resident.Resident) (resident.Page, error) {
		order := func(do string) func(context.Context, dashboard.Order) error {
			return func(ctx context.Context, o dashboard.Order) error {
				reply := r.Answer(ctx, resident.Caller{Name: o.By, UID: -1, Admin: o.Admin},
					resident.Request{Do: do, Row: o.Extension.Row, Reason: o.Reason, Until: o.Until})
				if reply.Error != "" {
					return errors.New(reply.Error)
				}
				return nil
			}
		}
		made, err := dashboard.New(dashboard.Config{
			Store: kept, Current: r.Rules, Engine: engineVersion, Log: logger, Owner: ownerOf(),
			Block: order("block"), Unblock: order("unblock"), Trust: order("trust"), Untrust: order("untrust"), Snooze: order("snooze"),
		})
		if err != nil {
			return nil, fmt.Errorf("make the page: %w", err)
		}
		ctx, stop := context.WithCancel(ctx)
		l, err := dashboard.Listen(ctx, s.DashboardPort)
		if err != nil {
			stop()
			return nil, err
		}
		p := &page{Page: made, address: l.Addr(), stop: stop, ended: make(chan struct{})}
		go func() {
			defer close(p.ended)
			if err := made.Serve(ctx, l); err != nil {
				logger.Error("the page", "error", err)
			}
		}()
		return p, nil
	}
}
