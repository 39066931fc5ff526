package notifier

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	notifications = "org.freedesktop.Notifications"
	// callWithin bounds one call. A call to a program that the bus has to start first blocks for 120 s when that
	// program finds no display (measured with dunst 1.9 and dbus 1.14).
	callWithin = 3 * time.Second
	lookEvery  = time.Second // for a program that shows notifications
	never      = int32(0)    // expire_timeout: never
	usual      = int32(-1)   // expire_timeout: as the desktop likes
)

// A busScreen shows notifications through the session bus.
type busScreen struct {
	conn   *dbus.Conn
	object dbus.BusObject
	markup bool
	button bool
	out    chan Choice

	mu    sync.Mutex
	id    uint32 // of the notification on the screen; 0 is none
	quiet bool   // the next one was there before
	owner string // who shows notifications
	text  Text
}

// openScreen connects to the bus that the environment names and waits for a program that shows notifications.
func openScreen(ctx context.Context, wait time.Duration) (screen, error) {
	address := os.Getenv("DBUS_SESSION_BUS_ADDRESS")
	if address == "" {
		return nil, fmt.Errorf("%w: no session bus is named", ErrNotDelivered)
	}
	conn, err := dbus.Connect(address)
	if err != nil {
		return nil, fmt.Errorf("%w: connect to the session bus: %w", ErrNotDelivered, err)
	}
	s := &busScreen{conn: conn, object: conn.Object(notifications, "/org/freedesktop/Notifications"), out: make(chan Choice, 8)}
	signals := make(chan *dbus.Signal, 64)
	conn.Signal(signals)
	err = errors.Join(
		conn.AddMatchSignal(dbus.WithMatchInterface(notifications)),
		conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, notifications)))
	if err == nil {
		err = s.await(ctx, wait)
	}
	if err == nil {
		err = s.capabilities(ctx)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	go s.listen(ctx, signals)
	return s, nil
}

func (s *busScreen) bus(ctx context.Context, method string, result any, args ...any) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	return s.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus."+method, 0, args...).Store(result)
}

// await waits until a program shows notifications. It asks before it calls, and has the bus start one only in a session
// with a display.
func (s *busScreen) await(ctx context.Context, wait time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for started := false; ; {
		var owner string
		if err := s.bus(ctx, "GetNameOwner", &owner, notifications); err == nil {
			s.mu.Lock()
			s.owner = owner
			s.mu.Unlock()
			return nil
		}
		if !started && s.display(ctx) {
			started = true
			var names []string
			if s.bus(ctx, "ListActivatableNames", &names) == nil && slices.Contains(names, notifications) {
				var code uint32
				_ = s.bus(ctx, "StartServiceByName", &code, notifications, uint32(0)) // seen by GetNameOwner
				continue
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: no program of this session shows notifications", ErrNotDelivered)
		case <-time.After(lookEvery):
		}
	}
}

// environment asks the user's systemd for the session's environment.
func (s *busScreen) environment(ctx context.Context) []string {
	var there bool
	if s.bus(ctx, "NameHasOwner", &there, "org.freedesktop.systemd1") != nil || !there {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	var v dbus.Variant
	err := s.conn.Object("org.freedesktop.systemd1", "/org/freedesktop/systemd1").CallWithContext(ctx,
		"org.freedesktop.DBus.Properties.Get", 0, "org.freedesktop.systemd1.Manager", "Environment").Store(&v)
	list, _ := v.Value().([]string)
	if err != nil {
		return nil
	}
	return list
}

func (s *busScreen) display(ctx context.Context) bool {
	return slices.ContainsFunc(s.environment(ctx), func(v string) bool {
		return strings.HasPrefix(v, "DISPLAY=") || strings.HasPrefix(v, "WAYLAND_DISPLAY=")
	})
}

func (s *busScreen) capabilities(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	var list []string
	if err := s.object.CallWithContext(ctx, notifications+".GetCapabilities", 0).Store(&list); err != nil {
		return fmt.Errorf("ask the desktop what its notifications can do: %w", err)
	}
	s.markup, s.button = slices.Contains(list, "body-markup"), slices.Contains(list, "actions")
	return nil
}

func (s *busScreen) show(ctx context.Context, t Text) error {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	body := t.Body
	if s.markup {
		body = escapeMarkup(body)
	}
	var actions []string
	if s.button { // "default" is a click on the notification itself
		actions = []string{"default", t.WhatNow, string(WhatNow), t.WhatNow}
		if t.Block != "" {
			actions = append(actions, string(Block), t.Block, string(Trust), t.Trust)
		}
	}
	hints := map[string]dbus.Variant{"urgency": dbus.MakeVariant(byte(1)), "category": dbus.MakeVariant("x-extwatch.warning")}
	if s.quiet {
		hints["suppress-sound"] = dbus.MakeVariant(true)
	}
	expire := usual
	if t.Critical {
		hints["urgency"], hints["resident"] = dbus.MakeVariant(byte(2)), dbus.MakeVariant(true)
		expire = never
	}
	var id uint32
	if err := s.object.CallWithContext(ctx, notifications+".Notify", 0, "ExtWatch", s.id, "dialog-warning", t.Title, body,
		actions, hints, expire).Store(&id); err != nil {
		return fmt.Errorf("show a notification: %w", err)
	}
	s.id, s.text, s.quiet = id, t, false
	return nil
}

func (s *busScreen) adopt(place uint32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.id == 0 {
		s.id, s.quiet = place, true
	}
}

func (s *busScreen) place() uint32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id
}

func (s *busScreen) hide() {
	s.mu.Lock()
	id := s.id
	s.id = 0
	s.mu.Unlock()
	if id == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), callWithin)
	defer cancel()
	s.object.CallWithContext(ctx, notifications+".CloseNotification", 0, id) // it may be closed already
}

func (s *busScreen) choices() <-chan Choice { return s.out }

func (s *busScreen) keeps() bool { return true }

func (s *busScreen) close() { s.conn.Close() }

// listen hears what the person does. Other programs' notifications are heard of too, and ignored.
func (s *busScreen) listen(ctx context.Context, signals <-chan *dbus.Signal) {
	for signal := range signals {
		c, again := s.heard(signal)
		if again {
			_ = s.show(ctx, s.text) // the desktop's program was restarted and has forgotten; the next order tries again
		}
		if c == "" {
			continue
		}
		select {
		case s.out <- c:
		default: // nobody presses so many buttons
		}
	}
}

// heard returns the choice that a signal stands for, and whether the warning has to be shown again.
func (s *busScreen) heard(signal *dbus.Signal) (c Choice, again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if signal.Name == "org.freedesktop.DBus.NameOwnerChanged" && len(signal.Body) == 3 {
		owner, _ := signal.Body[2].(string)
		lost := s.id != 0 && owner != "" && owner != s.owner
		if owner != "" {
			s.owner = owner
		}
		if lost {
			s.id = 0
		}
		return "", lost
	}
	if len(signal.Body) != 2 || signal.Sender != s.owner || s.id == 0 || signal.Body[0] != s.id {
		return "", false
	}
	switch signal.Name {
	case notifications + ".ActionInvoked":
		switch action, _ := signal.Body[1].(string); Choice(action) {
		case "default", WhatNow:
			return WhatNow, false
		case Block:
			return Block, false
		case Trust:
			return Trust, false
		}
	case notifications + ".NotificationClosed":
		s.id = 0
		if signal.Body[1] == uint32(1) {
			return Expired, false
		}
		return Dismissed, false
	}
	return "", false
}

// languages are those of the session, of the account, and of the machine.
func (s *busScreen) languages(ctx context.Context) []string {
	list := localesOf(s.environment(ctx))
	if l := accountLanguage(ctx); l != "" {
		list = append(list, l)
	}
	for _, file := range []string{"/etc/locale.conf", "/etc/default/locale"} {
		f, err := os.Open(file)
		if err != nil {
			continue
		}
		data, _ := io.ReadAll(io.LimitReader(f, 4096))
		f.Close()
		var lines []string
		for lines1 := bufio.NewScanner(bytes.NewReader(data)); lines1.Scan(); {
			lines = append(lines, strings.ReplaceAll(lines1.Text(), `"`, ""))
		}
		list = append(list, localesOf(lines)...)
	}
	return append(list, localesOf(os.Environ())...)
}

// localesOf returns the locales that messages are to be in, as gettext looks for them.
func localesOf(environment []string) []string {
	var list []string
	for _, name := range []string{"LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"} {
		for _, v := range environment {
			if value, ok := strings.CutPrefix(v, name+"="); ok && value != "" {
				list = append(list, strings.Split(value, ":")...)
			}
		}
	}
	return list
}

// accountLanguage asks AccountsService, when it runs, for the language that the person chose at login.
func accountLanguage(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	conn, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return ""
	}
	defer conn.Close()
	const accounts = "org.freedesktop.Accounts"
	var there bool
	if conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, accounts).Store(&there) != nil || !there {
		return ""
	}
	var path dbus.ObjectPath
	if conn.Object(accounts, "/org/freedesktop/Accounts").CallWithContext(ctx, accounts+".FindUserById", 0, int64(os.Getuid())).Store(&path) != nil {
		return ""
	}
	var v dbus.Variant
	if conn.Object(accounts, path).CallWithContext(ctx, "org.freedesktop.DBus.Properties.Get", 0, accounts+".User", "Language").Store(&v) != nil {
		return ""
	}
	language, _ := v.Value().(string)
	return language
}
