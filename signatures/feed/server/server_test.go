package server

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func public(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string]string{
		"public/metadata/timestamp.json":              `{"signed":{"version":7}}`,
		"public/metadata/1.root.json":                 `{"signed":{"version":1}}`,
		"public/metadata/.new-123":                    `half`,
		"public/targets/campaigns/abc.example.yml":    `a: 1`,
		"public/targets/.hidden/abc.example.yml":      `a: 1`,
		"keys/targets-1.age":                          `secret`,
		"public/targets/indicators/segments/00.1.seg": strings.Repeat("x", 1000),
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "public")
}

func TestFiles(t *testing.T) {
	dir := public(t)
	if err := os.Symlink(filepath.Join(dir, "..", "keys", "targets-1.age"), filepath.Join(dir, "targets", "link.yml")); err != nil {
		t.Fatal(err)
	}
	h := handler(dir, newHub(1))
	for path, want := range map[string]struct {
		code        int
		cache, kind string
	}{
		"/metadata/timestamp.json":                  {200, "no-cache", "application/json"},
		"/metadata/1.root.json":                     {200, "public, max-age=31536000, immutable", "application/json"},
		"/metadata/2.root.json":                     {404, "no-store", ""},
		"/targets/campaigns/abc.example.yml":        {200, "public, max-age=31536000, immutable", "application/octet-stream"},
		"/metadata/.new-123":                        {404, "no-store", ""},
		"/targets/.hidden/abc.example.yml":          {404, "no-store", ""},
		"/targets/link.yml":                         {404, "no-store", ""},
		"/metadata":                                 {307, "", ""},
		"/metadata/":                                {404, "no-store", ""},
		"/targets/campaigns":                        {404, "no-store", ""},
		"/targets/%2e%2e/%2e%2e/keys/targets-1.age": {404, "", ""},
		"/targets/..%2f..%2fkeys%2ftargets-1.age":   {404, "no-store", ""},
		"/keys/targets-1.age":                       {404, "", ""},
		"/":                                         {404, "", ""},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want.code || want.cache != "" && w.Header().Get("Cache-Control") != want.cache || want.kind != "" && w.Header().Get("Content-Type") != want.kind {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		if strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%s gives a key away", path)
		}
		if tag := w.Header().Get("ETag"); w.Code == 200 {
			again := httptest.NewRequest("GET", path, nil)
			again.Header.Set("If-None-Match", tag)
			w = httptest.NewRecorder()
			if h.ServeHTTP(w, again); w.Code != 304 || w.Body.Len() > 0 {
				t.Errorf("%s with %s: %d", path, tag, w.Code)
			}
		}
	}
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, httptest.NewRequest("POST", "/metadata/timestamp.json", nil)); w.Code != 405 {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestServe(t *testing.T) {
	dir := public(t)
	certs := filepath.Join(t.TempDir(), "serve")
	cert, err := SelfMade(certs, []string{"127.0.0.1", "feed.example"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	again, err := SelfMade(certs, nil, time.Now())
	if err != nil || Fingerprint(again) != Fingerprint(cert) || len(Fingerprint(cert)) != 64 {
		t.Error("the certificate was made anew", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, Config{Public: dir, Listener: l, Certificate: cert}) }()

	pool := x509.NewCertPool()
	ca, err := os.ReadFile(filepath.Join(certs, "certificate.pem"))
	if err != nil || !pool.AppendCertsFromPEM(ca) {
		t.Fatal(err)
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: 20 * time.Second}
	base := "https://" + l.Addr().String()
	resp, err := client.Get(base + "/metadata/1.root.json")
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()

	stream, err := client.Get(base + "/events")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	next := func() string {
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "data:") {
				return lines.Text()
			}
		}
		return fmt.Sprint("the stream ended: ", lines.Err())
	}
	if got := next(); got != "data: 7" {
		t.Error(got)
	}
	if err := os.WriteFile(filepath.Join(dir, "metadata", "timestamp.json"), []byte(`{"signed":{"version":8}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := next(); got != "data: 8" {
		t.Error(got)
	}
	stop()
	if got := next(); !strings.HasPrefix(got, "the stream ended") {
		t.Error(got)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	h := newHub(1)
	h.enter()
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, httptest.NewRequest("GET", "/events", nil)); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Error(w.Code, w.Header())
	}
	h.leave()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, httptest.NewRequest("GET", "/events", nil).WithContext(ctx)); w.Code != 200 {
		t.Error(w.Code)
	}
}
