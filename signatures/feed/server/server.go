// Package server serves a feed's public/ folder over HTTPS: for small fleets, for tests, and until the folder lies on a
// web server or in a bucket. Agents trust the signatures, never the server, so this is all that it has to do well:
//
//	files   numbered metadata and files named by their hash never change and may be kept for ever by any cache;
//	        timestamp.json is asked for anew each time, and answered with 304 when it is still the same
//	events  a stream (text/event-stream) that tells agents the version of timestamp.json, now and after each publishing
//
// Connections, streams, header sizes and times are bounded, so that a broken client costs little.
package server

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"golang.org/x/net/netutil"
)

const (
	maxConnections = 4096 // a stream is a connection; more machines than that deserve a web server
	maxStreams     = maxConnections * 3 / 4
	maxTimestamp   = 64 << 10

	headerTime = 10 * time.Second
	idleTime   = 2 * time.Minute
	fileTime   = 5 * time.Minute // for one file: the largest, over a slow line
	lookTime   = 500 * time.Millisecond
	sayTime    = 30 * time.Second // a sign of life on a stream; agents give one up after 100 s
	writeTime  = 10 * time.Second // for one line on a stream
	stopTime   = 5 * time.Second
)

// Config says what is served, and where.
type Config struct {
	Public      string       // the folder
	Listener    net.Listener // plain; TLS is put on it. Serve closes it
	Certificate tls.Certificate
	Log         *slog.Logger // nil: nothing is logged
}

// Serve serves until ctx is done, lets the requests at hand end, and then returns nil.
func Serve(ctx context.Context, cfg Config) error {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if info, err := os.Stat(cfg.Public); err != nil || !info.IsDir() {
		cfg.Listener.Close()
		return fmt.Errorf("serve %s: it is no folder", cfg.Public)
	}
	streams, stop := context.WithCancel(ctx)
	defer stop()
	hub := newHub(maxStreams)
	go hub.watch(streams, func() (int64, error) { return version(cfg.Public) }, cfg.Log)
	srv := &http.Server{
		Handler:           handler(cfg.Public, hub),
		ReadHeaderTimeout: headerTime,
		ReadTimeout:       headerTime, // no request has a body
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return streams },
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cfg.Certificate}},
	}
	done := make(chan error, 1)
	go func() { done <- srv.ServeTLS(netutil.LimitListener(cfg.Listener, maxConnections), "", "") }()
	select {
	case err := <-done:
		return fmt.Errorf("serve the feed: %w", err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	if err := srv.Shutdown(last); err != nil {
		srv.Close()
	}
	<-done
	return nil
}

func handler(public string, hub *hub) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /events", hub)
	files := func(w http.ResponseWriter, r *http.Request) { serveFile(w, r, public) }
	mux.HandleFunc("GET /metadata/", files)
	mux.HandleFunc("GET /targets/", files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Content-Type-Options", "nosniff")
		mux.ServeHTTP(w, r)
	})
}

// serveFile serves a plain file beneath public/. What is being written (".new-…") is not there yet.
func serveFile(w http.ResponseWriter, r *http.Request, public string) {
	http.NewResponseController(w).SetWriteDeadline(time.Now().Add(fileTime)) // not supported only in tests
	name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
	f, info, err := openFile(public, name)
	if err != nil {
		// A missing file must not be remembered: the next root is asked for under its name before it is there.
		w.Header().Set("Cache-Control", "no-store")
		code := http.StatusNotFound
		if !errors.Is(err, fs.ErrNotExist) {
			code = http.StatusInternalServerError
		}
		http.Error(w, http.StatusText(code), code)
		return
	}
	defer f.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	if path.Ext(name) == ".json" {
		w.Header().Set("Content-Type", "application/json")
	}
	if path.Base(name) != "timestamp.json" {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		w.Header().Set("ETag", `"`+etag(path.Base(name))+`"`)
		http.ServeContent(w, r, "", info.ModTime(), f)
		return
	}
	data, err := io.ReadAll(io.LimitReader(f, maxTimestamp))
	if err != nil {
		http.Error(w, "cannot read the file", http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(data)
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:16])+`"`)
	http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(data)))
}

// etag is a name as an entity tag: a file whose name holds its number or hash never changes.
func etag(name string) string {
	return strings.Map(func(r rune) rune {
		if r > ' ' && r < 0x7f && r != '"' {
			return r
		}
		return '_'
	}, name)
}

func openFile(public, name string) (*os.File, fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, nil, fs.ErrNotExist
	}
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") {
			return nil, nil, fs.ErrNotExist
		}
	}
	root, err := os.OpenRoot(public) // each time: a copying tool may put another folder in its place
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	info, err := root.Stat(name)
	if err != nil {
		return nil, nil, fs.ErrNotExist
	}
	if !info.Mode().IsRegular() { // before it is opened: a pipe would wait for its writer
		return nil, nil, fs.ErrNotExist
	}
	f, err := root.Open(name)
	return f, info, err
}
