package feed

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

const childEnv = "FEED_KILL_AT"

// With childEnv set, the test program is an agent that kills itself at that step of an update.
func TestMain(m *testing.M) {
	if n, err := strconv.Atoi(os.Getenv(childEnv)); err == nil {
		if err := child(n); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func child(n int) error {
	root, err := os.ReadFile(os.Getenv("FEED_ROOT"))
	if err != nil {
		return err
	}
	unix, err := strconv.ParseInt(os.Getenv("FEED_TIME"), 10, 64)
	if err != nil {
		return err
	}
	f, err := Open(Config{
		Dir: os.Getenv("FEED_DIR"), Root: root, Mirrors: []string{os.Getenv("FEED_MIRROR")}, Engine: "1",
		Now: func() time.Time { return time.Unix(unix, 0) },
		step: func(string) error {
			if n--; n > 0 {
				return nil
			}
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			if err != nil {
				return err
			}
			select {}
		},
	})
	if err != nil {
		return err
	}
	_, err = f.Update(context.Background())
	return err
}
