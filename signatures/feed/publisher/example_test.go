package publisher_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/extwatch/extwatch/signatures/feed/publisher"
)

func Example() {
	tmp, err := os.MkdirTemp("", "feed")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(tmp)
	ctx := context.Background()
	cfg := publisher.Config{
		Dir:      filepath.Join(tmp, "feed"),
		RootKeys: []string{filepath.Join(tmp, "stick-a"), filepath.Join(tmp, "stick-b"), filepath.Join(tmp, "stick-c")},
		Passphrase: func(context.Context, string, bool) ([]byte, error) {
			return []byte("four words put together"), nil
		},
	}
	made, err := publisher.Init(ctx, cfg, publisher.Plan{Organisation: "Example Ltd", Scrypt: 8})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(made.Keys["root"]), "root keys, of which", made.Thresholds["root"], "sign")

	if err := os.WriteFile(filepath.Join(cfg.Dir, "source", "version.txt"), []byte("1\n"), 0o644); err != nil {
		fmt.Println(err)
		return
	}
	p, err := publisher.Open(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := p.Publish(ctx, publisher.Request{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out.Signed, out.Changes[0].Path)
	// Output:
	// 3 root keys, of which 2 sign
	// [targets snapshot timestamp] version.txt
}
