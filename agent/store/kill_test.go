package store

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/extwatch/extwatch/signatures"
)

const (
	childFolder = "EXTWATCH_STORE_TEST_FOLDER"
	kills       = 100
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(childFolder); folder != "" {
		if err := child(folder); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child is an agent that records, shows and queues until it is killed. What it shows is a line "key rule-of-extension" in
// a file; the receiver folds lines with the same key.
func child(folder string) error {
	ctx := context.Background()
	s, problems, err := Open(ctx, Config{Folder: folder})
	if err != nil || len(problems) > 0 {
		return fmt.Errorf("open: %v %w", problems, err)
	}
	shown, err := os.OpenFile(filepath.Join(folder, "shown"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	for round := 0; ; round++ {
		// Everything is seen again after a restart, and one or two are new.
		n, err := s.count(ctx)
		if err != nil {
			return err
		}
		var seen []Observation
		for i := range n + 1 + round%2 {
			id := fmt.Sprintf("e%d", i)
			seen = append(seen, observe(ext(id, "1"), signatures.Suspicious, finding("theft", signatures.Suspicious)))
		}
		seen = seen[max(0, len(seen)-25):] // a profile
		if _, err := s.Record(ctx, seen...); err != nil {
			return err
		}
		if err := show(ctx, s, shown); err != nil {
			return err
		}
		if round%10 == 9 {
			if err := s.Compact(ctx); err != nil {
				return err
			}
		}
	}
}

func (s *Store) count(ctx context.Context) (n int, err error) {
	err = s.w.QueryRowContext(ctx, "SELECT count(*) FROM extensions").Scan(&n)
	return n, err
}

func show(ctx context.Context, s *Store, shown *os.File) error {
	list, err := s.Untold(ctx, "ada", "desktop")
	if err != nil {
		return err
	}
	if list, err = s.Telling(ctx, "ada", "desktop", ids(list)...); err != nil {
		return err
	}
	for _, f := range list {
		if _, err := fmt.Fprintf(shown, "%s %d %t\n", f.Key, f.Extension, f.Again); err != nil {
			return err
		}
	}
	if err := s.Told(ctx, "ada", "desktop", ids(list)...); err != nil {
		return err
	}
	if list, err = s.Untold(ctx, "", "webhook"); err != nil {
		return err
	}
	for _, f := range list {
		if _, err := s.Push(ctx, Delivery{Channel: "webhook", Key: f.Key, Payload: []byte(f.Rule), Findings: []int64{f.ID}}); err != nil {
			return err
		}
	}
	return nil
}

func TestKilled(t *testing.T) {
	folder := t.TempDir()
	open(t, Config{Folder: folder}).Close()
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	for range kills {
		cmd := exec.Command(os.Args[0], "-test.run=^$")
		cmd.Env = append(os.Environ(), childFolder+"="+folder)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Some are killed while they open, most at work.
		if rng.IntN(5) > 0 {
			if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
				_ = cmd.Wait()
				t.Fatalf("the child says %q, %v: %s", line, err, stderr.String())
			}
		}
		time.Sleep(time.Duration(rng.IntN(60_000)) * time.Microsecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); err == nil || stderr.Len() > 0 {
			t.Fatalf("the child ended by itself: %v: %s", err, stderr.String())
		}
		checkShown(t, folder)
	}
}

// checkShown opens what a killed child left: whole, nothing that was told is lost, and nothing is told again but what may
// have been shown, by the same key.
func checkShown(t *testing.T, folder string) {
	t.Helper()
	ctx := context.Background()
	s := open(t, Config{Folder: folder}) // any damage is a problem
	defer s.Close()
	text, err := os.ReadFile(filepath.Join(folder, "shown"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	keyOf, lines := map[string]string{}, map[string]int{}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if key := keyOf[f[1]]; key != "" && key != f[0] {
			t.Errorf("extension %s is told twice by different keys", f[1])
		}
		if lines[f[0]]++; lines[f[0]] > 1 && f[2] != "true" {
			t.Errorf("finding %s is told twice, and not said to be so", f[0])
		}
		keyOf[f[1]] = f[0]
	}
	marks := map[string]bool{} // by key: told for certain
	queued := map[string]bool{}
	rows, err := s.w.QueryContext(ctx, `SELECT f.key, ifnull(m.done, 0), o.key IS NOT NULL, w.done IS NOT NULL FROM findings f
		LEFT JOIN told m ON m.finding = f.id AND m.channel = 'desktop' LEFT JOIN told w ON w.finding = f.id AND w.channel = 'webhook'
		LEFT JOIN outbox o ON o.key = f.key`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		var done int64
		var pushed, marked bool
		if err := rows.Scan(&key, &done, &pushed, &marked); err != nil {
			t.Fatal(err)
		}
		if marks[key] = done != 0; marks[key] && lines[key] == 0 {
			t.Errorf("finding %s counts as told, but was not shown", key)
		}
		if queued[key] = pushed; pushed != marked {
			t.Errorf("finding %s: queued %t, told to the queue %t", key, pushed, marked)
		}
	}
	for key := range lines {
		if _, ok := marks[key]; !ok {
			t.Errorf("finding %s was shown, and is lost", key)
		}
	}
	rows.Close()
	left, err := s.Untold(ctx, "ada", "desktop")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range left {
		if lines[f.Key] > 0 && !f.Again {
			t.Errorf("finding %s was shown, and would be told as new", f.Key)
		}
	}
}
