package outputs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"
)

const (
	// sendWithin bounds one delivery; a receiver that is slower is as good as away.
	sendWithin = 10 * time.Second
	// batch is how many deliveries are looked up at once.
	batch = 50
	// A delivery that failed is tried again after firstPause, twice that, and so on, at most lastPause: a receiver that was
	// away for a weekend has everything within the hour.
	firstPause = 5 * time.Second
	lastPause  = time.Hour
	// maxRefused is how often a message is sent that the receiver understands and refuses.
	maxRefused = 8
	// lookEvery is how often the queue is looked at when nothing is told: for what was put off.
	lookEvery = 30 * time.Second
)

// Targets say who is told. They are the same as settings.Outputs, which converts to it.
type Targets struct {
	Syslog        string // udp://host:514, tcp://host:601, tls://host:6514, unix:///dev/log
	Journal       bool
	EventLog      bool
	Webhook       string // https URL
	WebhookSecret string // path of a file that holds the key of the signature
	Proxy         string // http URL through which the webhook is reached; "" is the environment's
	CA            string // a file of PEM certificates that are trusted beside the system's; "" is none
	File          string // path of a file of JSON lines
	Schema        string // of File and Webhook: plain, ecs, ocsf
}

// A Queue keeps what is on its way to another machine over restarts. It is bounded, and the same key is pushed once.
type Queue interface {
	Push(ctx context.Context, channel, key string, payload []byte) error
	Next(ctx context.Context, channel string, n int) ([]Delivery, error) // that are due, oldest first
	Done(ctx context.Context, rows ...int64) error
	PutOff(ctx context.Context, row int64, until time.Time, why string) error
}

// A Delivery is a message in a Queue.
type Delivery struct {
	Row     int64
	Key     string
	Payload []byte
	Tries   int
}

// Config says who is told and how.
type Config struct {
	Targets
	Queue   Queue            // needed for Syslog and Webhook
	Host    string           // this machine's name; "" is looked up
	Version string           // of the agent
	Now     func() time.Time // nil is time.Now
	Failed  func(error)      // is told when a delivery fails; nil is ignored, the Queue has it too

	journal string // the socket; for tests
}

// errRefused says that the receiver is there, and does not want this message.
var errRefused = errors.New("it was refused")

// A channel sends queued messages to one receiver.
type channel interface {
	send(ctx context.Context, key string, payload []byte) error
	close()
}

// A local output is on this machine.
type local interface {
	tell(e Event) error
	close()
}

// Outputs tells all that are set.
type Outputs struct {
	cfg      Config
	channels map[string]channel // by the name of their queue
	wake     chan struct{}

	mu     sync.Mutex
	locals []local
}

// New prepares the outputs. Nothing is connected to yet. An error says which setting is wrong.
func New(cfg Config) (*Outputs, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Host == "" {
		cfg.Host, _ = os.Hostname() // without one, the receiver sees the address
	}
	if cfg.Failed == nil {
		cfg.Failed = func(error) {}
	}
	if (cfg.Syslog != "" || cfg.Webhook != "") && cfg.Queue == nil {
		return nil, errors.New("tell other systems: syslog and webhook need a queue")
	}
	if _, err := encode(Event{}, cfg.Schema); err != nil {
		return nil, fmt.Errorf("outputs.schema: %w", err)
	}
	o := &Outputs{cfg: cfg, channels: map[string]channel{}, wake: make(chan struct{}, 1)}
	trust, err := trusted(cfg.CA)
	if err != nil {
		return nil, err
	}
	if cfg.Syslog != "" {
		o.channels["syslog"] = &syslogger{address: cfg.Syslog, tls: trust}
	}
	if cfg.Webhook != "" {
		hook, err := newWebhook(cfg, trust)
		if err != nil {
			return nil, err
		}
		o.channels["webhook"] = hook
	}
	if cfg.Journal {
		o.locals = append(o.locals, newJournal(cfg.journal))
	}
	if cfg.EventLog {
		l, err := openEventLog()
		if err != nil {
			return nil, fmt.Errorf("outputs.event_log: %w", err)
		}
		o.locals = append(o.locals, l)
	}
	if cfg.File != "" {
		o.locals = append(o.locals, &file{path: cfg.File, shape: cfg.Schema})
	}
	return o, nil
}

// trusted are the certificates that are believed: the system's, and those of the file.
func trusted(ca string) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca == "" {
		return c, nil
	}
	data, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("outputs.ca_file: %w", err)
	}
	if c.RootCAs, err = x509.SystemCertPool(); err != nil {
		c.RootCAs = x509.NewCertPool()
	}
	if !c.RootCAs.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("outputs.ca_file: %s holds no certificate in PEM", ca)
	}
	return c, nil
}

// Tell tells an event to all outputs: those on this machine now, the others by queueing it. What failed is in the error,
// and does not keep the others from being told.
func (o *Outputs) Tell(ctx context.Context, e Event) error {
	if e.Time.IsZero() {
		e.Time = o.cfg.Now()
	}
	if e.Host == "" {
		e.Host = o.cfg.Host
	}
	if e.Agent == "" {
		e.Agent = o.cfg.Version
	}
	var errs []error
	o.mu.Lock()
	for _, l := range o.locals {
		errs = append(errs, l.tell(e))
	}
	o.mu.Unlock()
	for name := range o.channels {
		payload, err := o.payload(name, e)
		if err == nil {
			err = o.cfg.Queue.Push(ctx, name, e.Key, payload)
		}
		errs = append(errs, err)
	}
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return errors.Join(errs...)
}

func (o *Outputs) payload(name string, e Event) ([]byte, error) {
	if name == "syslog" {
		limit := maxBody
		if s, ok := o.channels[name].(*syslogger); ok && s.datagrams() {
			limit = maxDatagram
		}
		return rfc5424(e, limit), nil
	}
	return encode(e, o.cfg.Schema)
}

// Run sends what is queued until the context ends. It also sends what an earlier run left.
func (o *Outputs) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wakes := map[string]chan struct{}{}
	for name, c := range o.channels {
		wakes[name] = make(chan struct{}, 1)
		wg.Go(func() { o.serve(ctx, name, c, wakes[name]) })
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-o.wake:
			for _, w := range wakes {
				select {
				case w <- struct{}{}:
				default:
				}
			}
		}
	}
	wg.Wait()
}

// serve sends one channel's messages. A receiver that fails once is left alone for a pause: the others wait as well, for
// they would fail too.
func (o *Outputs) serve(ctx context.Context, name string, c channel, wake <-chan struct{}) {
	defer c.close()
	for {
		more := o.flush(ctx, name, c)
		if more {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-time.After(lookEvery):
		}
	}
}

// flush sends what is due, and reports whether there may be more.
func (o *Outputs) flush(ctx context.Context, name string, c channel) bool {
	list, err := o.cfg.Queue.Next(ctx, name, batch)
	if err != nil {
		if ctx.Err() == nil {
			o.cfg.Failed(fmt.Errorf("look for what to send to the %s: %w", name, err))
		}
		return false
	}
	for i, d := range list {
		err := o.send(ctx, c, d)
		switch {
		case ctx.Err() != nil:
			return false
		case err == nil:
			err = o.cfg.Queue.Done(ctx, d.Row)
		case errors.Is(err, errRefused): // this one only; it must not keep the others back
			o.cfg.Failed(fmt.Errorf("%s: %w", name, err))
			if d.Tries+1 >= maxRefused {
				err = o.cfg.Queue.Done(ctx, d.Row)
			} else {
				err = o.cfg.Queue.PutOff(ctx, d.Row, o.cfg.Now().Add(pause(d.Tries)), err.Error())
			}
		default:
			o.cfg.Failed(fmt.Errorf("%s: %w", name, err))
			why := err.Error()
			err = nil
			until := o.cfg.Now().Add(pause(d.Tries))
			for _, rest := range list[i:] {
				err = errors.Join(err, o.cfg.Queue.PutOff(ctx, rest.Row, until, why))
			}
			if err == nil {
				return false
			}
		}
		if err != nil {
			o.cfg.Failed(fmt.Errorf("%s: %w", name, err))
			return false
		}
	}
	return len(list) == batch
}

func (o *Outputs) send(ctx context.Context, c channel, d Delivery) error {
	ctx, cancel := context.WithTimeout(ctx, sendWithin)
	defer cancel()
	return c.send(ctx, d.Key, d.Payload)
}

// pause is how long to wait after so many tries.
func pause(tries int) time.Duration {
	return min(lastPause, firstPause<<min(max(tries, 0), 12))
}

// Close closes the outputs on this machine. End Run first.
func (o *Outputs) Close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, l := range slices.Backward(o.locals) {
		l.close()
	}
	o.locals = nil
}
