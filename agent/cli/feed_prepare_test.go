package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/extwatch/extwatch/signatures/feed"
	"github.com/extwatch/extwatch/signatures/feed/publisher"
	"github.com/extwatch/extwatch/signatures/indicators"
)

// letterID makes the ID of a number.
func letterID(n int) string {
	return strings.Map(func(r rune) rune {
		if r <= '9' {
			return r - '0' + 'a'
		}
		return r - 'a' + 'k'
	}, fmt.Sprintf("%x", sha256.Sum256([]byte(fmt.Sprint(n))))[:32])
}

type counting struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c counting) Write(b []byte) (int, error) {
	c.n.Add(int64(len(b)))
	return c.ResponseWriter.Write(b)
}

// From the author's list to a machine: 100 more rows of a long list cost less than 100 KB, and are known there.
func TestSmallUpdatesAreSmall(t *testing.T) {
	t.Parallel()
	const many, more = 50_000, 100
	ctx, dir := context.Background(), t.TempDir()
	cfg := publisher.Config{
		Dir: filepath.Join(dir, "feed"), RootKeys: []string{filepath.Join(dir, "a")}, Prepare: prepareFiles,
		Passphrase: func(context.Context, string, bool) ([]byte, error) { return []byte("four words put together"), nil },
	}
	made, err := publisher.Init(ctx, cfg, publisher.Plan{Organisation: "Example Ltd", Scrypt: 8,
		Keys: map[string]int{"root": 1}, Thresholds: map[string]int{"root": 1}})
	if err != nil {
		t.Fatal(err)
	}
	publish := func(n int) {
		rows := make([]indicators.Row, n)
		for i := range rows {
			rows[i] = indicators.Row{Value: letterID(i), Browser: "chrome", Campaign: "c", Verdict: "suspicious", Source: "https://news.example/"}
		}
		var text bytes.Buffer
		if err := indicators.WriteCSV(&text, indicators.ID, rows); err != nil {
			t.Fatal(err)
		}
		list := filepath.Join(cfg.Dir, "source", "indicators", indicators.ID.File())
		if err := os.MkdirAll(filepath.Dir(list), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(list, text.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		p, err := publisher.Open(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Publish(ctx, publisher.Request{}); err != nil {
			t.Fatal(err)
		}
	}
	var sent atomic.Int64
	files := http.FileServer(http.Dir(filepath.Join(cfg.Dir, "public")))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { files.ServeHTTP(counting{w, &sent}, r) }))
	defer server.Close()
	root, err := os.ReadFile(made.Root)
	if err != nil {
		t.Fatal(err)
	}
	client, err := feed.Open(feed.Config{Dir: filepath.Join(dir, "machine"), Root: root, Mirrors: []string{server.URL}})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		rows int
		most int64
	}{{many, 64 * many}, {many + more, 100_000}, {many + 2*more, 100_000}, {many + more, 100_000}} {
		publish(step.rows)
		sent.Store(0)
		if _, err := client.Update(ctx); err != nil {
			t.Fatal(err)
		}
		t.Logf("%d rows: %d bytes", step.rows, sent.Load())
		if n := sent.Load(); n > step.most {
			t.Errorf("%d rows: %d bytes were sent, more than %d", step.rows, n, step.most)
		}
		tree, ok := client.Files()
		if !ok {
			t.Fatal("the machine has no feed")
		}
		set, err := indicators.OpenFS(tree, "indicators/segments")
		if err != nil {
			t.Fatal(err)
		}
		if set.Len(indicators.ID) != step.rows || len(set.Lookup(indicators.ID, letterID(step.rows-1))) != 1 || len(set.Lookup(indicators.ID, letterID(step.rows))) != 0 {
			t.Errorf("%d rows are known, want %d", set.Len(indicators.ID), step.rows)
		}
	}
}
