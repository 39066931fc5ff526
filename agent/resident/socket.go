package resident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os/user"
	"strconv"
	"sync"
	"time"
)

const (
	// maxRequest bounds what is asked, in bytes.
	maxRequest = 16 << 10
	// maxReply bounds what a caller reads: the history of an extension on a server with hundreds of users.
	maxReply = 64 << 20
	// maxCallers bounds the questions that are answered at the same time.
	maxCallers = 32
	// askWithin bounds one question, reading and writing included. A block packs up to half a gigabyte of evidence.
	askWithin = 2 * time.Minute
	// sayWithin bounds how long a caller may take to say what it wants.
	sayWithin = 5 * time.Second
)

// serve answers questions until ctx ends: one line of JSON each way for a connection.
func (r *Resident) serve(ctx context.Context, l net.Listener) {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, maxCallers)
	for {
		c, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return
			}
			r.log.Error("answer", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second): // such as too many open files
			}
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			c.Close() // whoever holds the others is done in seconds
			continue
		}
		wg.Go(func() {
			defer func() { <-slots }()
			defer c.Close()
			quit := context.AfterFunc(ctx, func() { c.SetDeadline(time.Now()) })
			defer quit()
			r.converse(ctx, c)
			r.cfg.Worked()
		})
	}
}

func (r *Resident) converse(ctx context.Context, c net.Conn) {
	defer func() {
		if v := recover(); v != nil { // one question must not end the service
			r.log.Error("a mistake in this program", "panic", v)
		}
	}()
	c.SetDeadline(time.Now().Add(sayWithin))
	var q Request
	var a Reply
	asked := json.NewDecoder(io.LimitReader(c, maxRequest)).Decode(&q)
	who, err := r.caller(c) // after the question: Windows says only then who is at the other end of a pipe
	if err != nil {
		r.log.Error("who asks is not known", "error", err)
		return
	}
	if asked != nil {
		a.Error = "this is no question: " + asked.Error()
	} else {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		a = r.Answer(ctx, who, q)
	}
	c.SetDeadline(time.Now().Add(askWithin))
	if err := json.NewEncoder(c).Encode(a); err != nil {
		r.log.Debug("an answer was not taken", "error", err)
	}
}

// caller says who is at the other end.
func (r *Resident) caller(c net.Conn) (Caller, error) {
	who, err := peer(c)
	if err != nil || who.Name != "" {
		return who, err
	}
	r.mu.Lock()
	for _, u := range r.users {
		if u.UID == who.UID && u.UID >= 0 {
			who.Name = u.Name
		}
	}
	r.mu.Unlock()
	if who.Name == "" {
		if account, err := user.LookupId(strconv.Itoa(who.UID)); err == nil {
			who.Name = account.Username
		}
	}
	return who, nil
}

// ErrNotRunning says that no service answers.
var ErrNotRunning = errors.New("the service does not run")

// Ask asks the service that runs. It returns ErrNotRunning when none does.
func Ask(ctx context.Context, socket string, q Request) (Reply, error) {
	c, err := dial(ctx, socket)
	if err != nil {
		return Reply{}, fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(askWithin + sayWithin))
	stop := context.AfterFunc(ctx, func() { c.SetDeadline(time.Now()) })
	defer stop()
	if err := json.NewEncoder(c).Encode(q); err != nil {
		return Reply{}, fmt.Errorf("ask the service: %w", err)
	}
	var a Reply
	if err := json.NewDecoder(io.LimitReader(c, maxReply)).Decode(&a); err != nil {
		return Reply{}, fmt.Errorf("read the service's answer: %w", err)
	}
	return a, nil
}
