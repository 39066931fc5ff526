package outputs

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func outputs(t *testing.T, cfg Config) (*Outputs, *memory) {
	t.Helper()
	var offset atomic.Int64 // pauses pass at once
	q := &memory{now: func() time.Time { return time.Now().Add(time.Duration(offset.Add(int64(time.Minute)))) }}
	cfg.Queue, cfg.Host, cfg.Version = q, "desk", "1.0"
	cfg.Failed = func(err error) { t.Log(err) }
	o, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	return o, q
}

// flushed sends until nothing waits.
func flushed(t *testing.T, o *Outputs, q *memory, name string) {
	t.Helper()
	for range 30 {
		o.flush(t.Context(), name, o.channels[name])
		if q.waiting() == 0 {
			return
		}
	}
	t.Fatalf("%d messages wait", q.waiting())
}

func TestWebhook(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var calls, good atomic.Int32
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch calls.Add(1) {
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case 2:
			http.Redirect(w, r, "https://elsewhere.example/", http.StatusTemporaryRedirect)
			return
		}
		body, _ := io.ReadAll(r.Body)
		want := sign([]byte("0123456789abcdef"), r.Header.Get("X-ExtWatch-Timestamp"), body)
		if r.Header.Get("X-ExtWatch-Signature") != want || r.Header.Get("X-ExtWatch-Key") == "" || r.Method != http.MethodPost {
			t.Errorf("%v", r.Header)
		}
		if strings.Contains(string(body), "poison") {
			w.WriteHeader(http.StatusUnprocessableEntity)
			return
		}
		good.Add(1)
	}))
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	o, q := outputs(t, Config{Targets: Targets{Webhook: server.URL, WebhookSecret: secret, Schema: "ecs", CA: ca}})
	for i := range 5 {
		e := event(Opened)
		e.Key = strconv.Itoa(i)
		if i == 0 {
			e.Name = "poison"
		}
		for range 2 { // the same key is sent once
			if err := o.Tell(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
	}
	flushed(t, o, q, "webhook")
	if n := good.Load(); n != 4 {
		t.Errorf("%d arrived, want 4", n)
	}
	if got := sign([]byte("key"), "1", []byte("{}")); got != "sha256=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224" {
		t.Error(got)
	}
}

func TestRunSendsWhatIsLeft(t *testing.T) {
	arrived := make(chan string, 8)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { arrived <- r.Header.Get("X-ExtWatch-Key") }))
	defer server.Close()
	o, q := outputs(t, Config{Targets: Targets{Webhook: server.URL}})
	if err := q.Push(t.Context(), "webhook", "earlier", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { o.Run(ctx); close(ended) }()
	if got := <-arrived; got != "earlier" {
		t.Error(got)
	}
	if err := o.Tell(t.Context(), event(Warned)); err != nil {
		t.Fatal(err)
	}
	if got := <-arrived; got != "key-1" {
		t.Error(got)
	}
	stop()
	<-ended
}

func TestSyslogOverStreams(t *testing.T) {
	pair := httptest.NewTLSServer(nil) // only for its certificate
	defer pair.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, scheme := range []string{"tcp", "tls"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		if scheme == "tls" {
			l = tls.NewListener(l, pair.TLS)
		}
		messages := make(chan string, 4)
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			for r := bufio.NewReader(c); ; {
				var n int
				if _, err := fmt.Fscanf(r, "%d", &n); err != nil {
					return
				}
				r.ReadByte()
				b := make([]byte, n)
				if _, err := io.ReadFull(r, b); err != nil {
					return
				}
				messages <- string(b)
			}
		}()
		o, q := outputs(t, Config{Targets: Targets{Syslog: scheme + "://" + l.Addr().String(), CA: ca}})
		for i := range 2 {
			e := event(Opened)
			e.Key = strconv.Itoa(i)
			if err := o.Tell(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		flushed(t, o, q, "syslog")
		for i := range 2 {
			if got := <-messages; !strings.HasPrefix(got, "<106>1 ") || !strings.Contains(got, fmt.Sprintf(`key="%d"`, i)) {
				t.Errorf("%s: %q", scheme, got)
			}
		}
		o.channels["syslog"].close()
	}
}

func TestDatagrams(t *testing.T) {
	udp, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	receive := func(c net.PacketConn) string {
		t.Helper()
		b := make([]byte, 65536)
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, _, err := c.ReadFrom(b)
		if err != nil {
			t.Fatal(err)
		}
		return string(b[:n])
	}
	o, q := outputs(t, Config{Targets: Targets{Syslog: "udp://" + udp.LocalAddr().String()}})
	if err := o.Tell(t.Context(), event(Opened)); err != nil {
		t.Fatal(err)
	}
	flushed(t, o, q, "syslog")
	if got := receive(udp); !strings.HasPrefix(got, "<106>1 2026") {
		t.Error(got)
	}
	o.channels["syslog"].close()
	if runtime.GOOS == "windows" { // has no unixgram, no journal and no /dev/log
		return
	}
	socket := filepath.Join(t.TempDir(), "s")
	unix, err := net.ListenPacket("unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close()
	o, q = outputs(t, Config{Targets: Targets{Syslog: "unix://" + socket, Journal: true}, journal: socket})
	if err := o.Tell(t.Context(), event(Opened)); err != nil {
		t.Fatal(err)
	}
	got := receive(unix)
	for _, want := range []string{"MESSAGE=\"Aggr Helper\" sends", "\nMESSAGE_ID=5e1f0a7c9b3d4e62a8c4d17be0f60064\n", "\nPRIORITY=2\n",
		"\nEXTWATCH_RULE=exchange-session-theft\n", "\nEXTWATCH_NAME\n\x1d\x00\x00\x00\x00\x00\x00\x00Aggr \"Helper\"]\nMESSAGE=forged\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the journal's entry lacks %q: %q", want, got)
		}
	}
	flushed(t, o, q, "syslog")
	if got := receive(unix); !strings.HasPrefix(got, "<106>1 ") {
		t.Error(got)
	}
	o.channels["syslog"].close()
	// Without a journal it is an error, not a success.
	o, _ = outputs(t, Config{Targets: Targets{Journal: true}, journal: socket + "x"})
	if err := o.Tell(t.Context(), event(Opened)); err == nil {
		t.Error("there is no journal, and nothing was said")
	}
}

func TestFileIsRotated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.json")
	o, _ := outputs(t, Config{Targets: Targets{File: path}})
	lines := func(path string) int {
		data, _ := os.ReadFile(path)
		return strings.Count(string(data), "\n")
	}
	for range 2 {
		if err := o.Tell(t.Context(), event(Opened)); err != nil {
			t.Fatal(err)
		}
	}
	if runtime.GOOS == "windows" { // a file that is open is not moved there
		o.Close()
		return
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if err := o.Tell(t.Context(), event(Problem)); err != nil {
		t.Fatal(err)
	}
	if lines(path+".1") != 2 || lines(path) != 1 {
		t.Errorf("%d and %d lines", lines(path+".1"), lines(path))
	}
	o, _ = outputs(t, Config{Targets: Targets{File: filepath.Join(path, "below-a-file")}})
	if err := o.Tell(t.Context(), event(Opened)); err == nil {
		t.Error("it cannot be written, and nothing was said")
	}
}

func TestNewRefuses(t *testing.T) {
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"no queue":    {Targets: Targets{Syslog: "udp://127.0.0.1:1"}},
		"plain http":  {Targets: Targets{Webhook: "http://siem.example/"}, Queue: &memory{}},
		"short key":   {Targets: Targets{Webhook: "https://siem.example/", WebhookSecret: short}, Queue: &memory{}},
		"no key":      {Targets: Targets{Webhook: "https://siem.example/", WebhookSecret: short + "x"}, Queue: &memory{}},
		"shape":       {Targets: Targets{Schema: "cef"}},
		"certificate": {Targets: Targets{CA: short}},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if pause(0) != firstPause || pause(1) != 2*firstPause || pause(99) != lastPause {
		t.Error(pause(0), pause(1), pause(99))
	}
}

// The proxy of the settings is asked, also for what the environment's would be passed by.
func TestProxy(t *testing.T) {
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { asked <- r.URL.String() }))
	defer proxy.Close()
	h, err := newWebhook(Config{Targets: Targets{Webhook: "http://127.0.0.1:1/hook", Proxy: proxy.URL}, Now: time.Now}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer h.close()
	if err := h.send(context.Background(), "k", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if got := <-asked; got != "http://127.0.0.1:1/hook" {
		t.Errorf("the proxy was asked for %q", got)
	}
	if _, err := newWebhook(Config{Targets: Targets{Webhook: "https://siem.example/", Proxy: "proxy.example:3128"}, Now: time.Now}, nil); err == nil {
		t.Error("a proxy without a scheme was accepted")
	}
}
