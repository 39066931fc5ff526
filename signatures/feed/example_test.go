package feed_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/extwatch/extwatch/signatures/feed"
)

// An agent with two mirrors, of which one is a stick.
func Example() {
	root, err := os.ReadFile("/etc/extwatch/root.json")
	if err != nil {
		fmt.Println("no feed is pinned on this machine")
		return
	}
	f, err := feed.Open(feed.Config{
		Dir:     "/var/lib/extwatch/feed",
		Root:    root,
		Mirrors: []string{"https://feed.example.org/extwatch", "/media/stick/extwatch"},
		Engine:  "1.4.0",
		Rehearse: func(ctx context.Context, files fs.FS) error {
			return nil // compile the rules of files, run their cases
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	if files, ok := f.Files(); ok {
		_ = files // what was in use before the restart
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	f.Run(ctx, func(u feed.Update) {
		files, _ := f.Files()
		fmt.Println(u.Version, u.Added, u.Modified, u.Removed, files)
	})
	// Output: no feed is pinned on this machine
}
